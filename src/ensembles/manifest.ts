import { z } from 'zod';
import { VerydeepError } from '../errors.ts';
import { architectureNames, type NetworkSpec, poolStride } from '../network/architecture.ts';
import { describeIssues } from '../options/issues.ts';

/** A version is a folder `weights/NAME/VERSION` with this file in it and the weights beside it. */
export const manifestName = 'manifest.json';

const count = z.number().int().positive();
const threeNumbers = z.tuple([z.number(), z.number(), z.number()]);
/** Figures as they were measured, by name. */
const metrics = z.record(z.string(), z.unknown());
/** Where weights come from: the command that made them, and whatever else leads back to their origin. */
const provenance = z.looseObject({ command: z.string().min(1) });

/** A name that is one path segment, so that no manifest or request can point out of its folder. */
export const nameSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]*$/,
    'expected lower-case letters, digits, - and _, starting with a letter or digit',
  );

/** Versions are numbered, so that the latest is well defined: `1`, `2`, ... */
export const versionSchema = z.string().regex(/^[1-9]\d{0,8}$/, 'expected a version number: 1, 2, ...');

const networkSchema = z
  .strictObject({
    name: nameSchema,
    architecture: z.enum(architectureNames),
    width: z.number().positive(),
    fc: count,
    classes: count,
    crop: count.multipleOf(poolStride),
    head: z.enum(['classes', 'scr', 'pcr']),
    preprocessing: z.strictObject({
      channelOrder: z.enum(['rgb', 'bgr']),
      scale: z.number().positive(),
      mean: threeNumbers,
      std: z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]),
    }),
    /** Smallest side S of the training pictures in pixels. */
    trainingScale: z.strictObject({ min: count, max: count }),
    file: z
      .string()
      .regex(
        /^[A-Za-z0-9][\w.-]*\.safetensors$/,
        'expected the name of a .safetensors file beside the manifest',
      ),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'),
    metrics: metrics.optional(),
    provenance,
  })
  .refine(({ trainingScale: { min, max } }) => min <= max, {
    path: ['trainingScale'],
    message: 'expected min <= max',
  });

const schema = z
  .strictObject({
    format: z.literal(1),
    ensemble: nameSchema,
    version: versionSchema,
    labels: z.array(z.string().min(1)).min(1),
    networks: z.array(networkSchema).min(1),
    /** Default test scales Q in pixels, where they are not the rule's (see `defaultScales`). */
    scales: z.array(count).min(1).optional(),
    metrics: metrics.optional(),
    provenance: provenance.optional(),
  })
  .check(({ value: { labels, networks, scales }, issues }) => {
    const problem = (path: (string | number)[], message: string): void => {
      issues.push({ code: 'custom', input: path, path, message });
    };
    const firstDuplicate = (names: readonly string[]): string | undefined =>
      names.find((name, i) => names.indexOf(name) < i);
    const label = firstDuplicate(labels);
    if (label !== undefined) problem(['labels'], `expected unique labels; received "${label}" twice`);
    for (const key of ['name', 'file'] as const) {
      const duplicate = firstDuplicate(networks.map((network) => network[key]));
      if (duplicate !== undefined)
        problem(['networks'], `expected unique ${key}s; received "${duplicate}" twice`);
    }
    const crop = networks[0]!.crop;
    for (const [i, network] of networks.entries()) {
      // A box that all classes share (SCR) does not depend on their number.
      if (network.head !== 'scr' && network.classes !== labels.length) {
        problem(
          ['networks', i, 'classes'],
          `expected ${labels.length}, one a label; received ${network.classes}`,
        );
      }
      if (network.crop !== crop) {
        problem(
          ['networks', i, 'crop'],
          `expected ${crop} as of the first network; received ${network.crop}`,
        );
      }
      if (network.trainingScale.min < network.crop) {
        const { min } = network.trainingScale;
        problem(['networks', i, 'trainingScale'], `expected at least the crop of ${crop}; received ${min}`);
      }
    }
    if (!networks.some(({ head }) => head === 'classes')) {
      problem(['networks'], 'expected at least one network of head "classes"; received none');
    }
    const small = scales?.find((scale) => scale < crop);
    if (small !== undefined) problem(['scales'], `expected at least the crop of ${crop}; received ${small}`);
  });

export type Manifest = z.infer<typeof schema>;
export type ManifestNetwork = Manifest['networks'][number];

/** Checks a manifest; `path` is for messages. Throws INVALID_WEIGHTS with all reasons. */
export function checkManifest(manifest: unknown, path: string): Manifest {
  const result = schema.safeParse(manifest);
  if (result.success) return result.data;
  const reasons = describeIssues(schema, result.error.issues, manifest, { kind: 'field' });
  throw new VerydeepError('INVALID_WEIGHTS', `${path}: ${reasons.join('. ')}`);
}

export function specOf({ architecture, width, fc, classes, crop, head }: ManifestNetwork): NetworkSpec {
  return { architecture, width, fc, classes, crop, head };
}

/**
 * Default test scales Q of networks trained at S (paper, 4.2): S - 32, S and S + 32 of a fixed S, else the smallest, middle
 * and largest S. No window fits into a picture smaller than the crop, so scales below it become the crop, and equal
 * ones count once: S = crop = 224 gives 224, 256.
 */
export function defaultScales(
  trainingScales: readonly { min: number; max: number }[],
  crop: number,
): number[] {
  const min = Math.min(...trainingScales.map((scale) => scale.min));
  const max = Math.max(...trainingScales.map((scale) => scale.max));
  const scales = min === max ? [min - 32, min, min + 32] : [min, Math.round((min + max) / 2), max];
  return [...new Set(scales.map((scale) => Math.max(crop, scale)))];
}
