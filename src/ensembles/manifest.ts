import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { messageOf, VerydeepError } from '../errors.ts';
import { writeDurably } from '../files/durable.ts';
import { readRegularFile } from '../files/regular.ts';
import { describeIssues } from '../options/issues.ts';
import { metricsSchema, nameSchema, networkSchema, provenanceSchema } from './network.ts';

/** What a folder of networks says of them: a version, `weights/NAME/VERSION`, or what a training left. Weights lie beside it. */
export const manifestName = 'manifest.json';

const count = z.number().int().positive();

/** Versions are numbered, so that the latest is well defined: `1`, `2`, ... */
export const versionSchema = z.string().regex(/^[1-9]\d{0,8}$/, 'expected a version number: 1, 2, ...');

const contents = {
  format: z.literal(1),
  labels: z.array(z.string().min(1)).min(1),
  networks: z.array(networkSchema).min(1),
  /** Default test scales Q in pixels, if they are not the rule's (see `defaultScales`). */
  scales: z.array(count).min(1).optional(),
  metrics: metricsSchema.optional(),
  provenance: provenanceSchema.optional(),
};

/** Of any folder of networks; a training leaves one network, and no name. */
const manifestSchema = z
  .strictObject({ ...contents, ensemble: nameSchema.optional(), version: versionSchema.optional() })
  .check(({ value, issues }) => {
    for (const { path, message } of disagreements(value)) {
      issues.push({ code: 'custom', input: value, path: [...path], message });
    }
  });

/** Of a version: what can be served. */
const versionManifestSchema = z
  .strictObject({ ...contents, ensemble: nameSchema, version: versionSchema })
  .check(({ value, issues }) => {
    for (const { path, message } of [...disagreements(value), ...reasonsNotToServe(value)]) {
      issues.push({ code: 'custom', input: value, path: [...path], message });
    }
  });

export type FolderManifest = z.infer<typeof manifestSchema>;
export type Manifest = z.infer<typeof versionManifestSchema>;

/** A manifest where it lies. */
export interface StoredManifest<M extends FolderManifest = FolderManifest> {
  /** Absolute path of its folder. */
  readonly folder: string;
  readonly manifest: M;
  /** `sha256:` and the hash of the manifest, which holds the hash of every file. */
  readonly digest: string;
}

/** Reads the manifest of a folder, not its weights. Throws INVALID_WEIGHTS. */
export function readManifest(folder: string): StoredManifest {
  return read(folder, manifestSchema);
}

/** Same, of a version. */
export function readVersionManifest(folder: string): StoredManifest<Manifest> {
  return read(folder, versionManifestSchema);
}

/** Checks the manifest of a version; `path` is for messages. Throws INVALID_WEIGHTS with all reasons. */
export function checkManifest(manifest: unknown, path: string): Manifest {
  return check(versionManifestSchema, manifest, path);
}

/** Same, of any folder of networks. */
export function checkFolderManifest(manifest: unknown, path: string): FolderManifest {
  return check(manifestSchema, manifest, path);
}

/** Writes it durably: from then on its folder holds what it says. Throws DISK_FULL, and INVALID_WEIGHTS if it is none. */
export async function writeManifest(folder: string, manifest: FolderManifest): Promise<void> {
  const path = join(folder, manifestName);
  checkFolderManifest(manifest, path);
  await writeDurably(path, `${JSON.stringify(manifest, null, 2)}\n`);
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

/** Reads a file beside weights. Throws INVALID_WEIGHTS. */
export function readJson(path: string): { readonly bytes: Buffer; readonly json: unknown } {
  try {
    const bytes = readRegularFile(path);
    return { bytes, json: JSON.parse(bytes.toString('utf8')) };
  } catch (cause) {
    const problem = cause instanceof SyntaxError ? 'expected JSON' : 'cannot be read';
    throw new VerydeepError('INVALID_WEIGHTS', `${path}: ${problem}: ${messageOf(cause)}`, { cause });
  }
}

// --- helpers ---

function read<M extends FolderManifest>(folder: string, schema: z.ZodType<M>): StoredManifest<M> {
  const path = join(resolve(folder), manifestName);
  const { bytes, json } = readJson(path);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { folder: resolve(folder), manifest: check(schema, json, path), digest };
}

function check<M>(schema: z.ZodType<M>, manifest: unknown, path: string): M {
  const result = schema.safeParse(manifest);
  if (result.success) return result.data;
  const reasons = describeIssues(schema, result.error.issues, manifest, { kind: 'field' });
  throw new VerydeepError('INVALID_WEIGHTS', `${path}: ${reasons.join('. ')}`);
}

interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type Contents = Pick<FolderManifest, 'labels' | 'networks' | 'scales'>;

/** What does not go together in any folder. */
function* disagreements({ labels, networks }: Contents): Generator<Problem> {
  const firstDuplicate = (names: readonly string[]): string | undefined =>
    names.find((name, i) => names.indexOf(name) < i);
  const label = firstDuplicate(labels);
  if (label !== undefined) {
    yield { path: ['labels'], message: `expected unique labels; received "${label}" twice` };
  }
  for (const key of ['name', 'file'] as const) {
    const twice = firstDuplicate(networks.map((network) => network[key]));
    if (twice !== undefined) {
      yield { path: ['networks'], message: `expected unique ${key}s; received "${twice}" twice` };
    }
  }
  for (const [i, { head, classes, crop, trainingScale }] of networks.entries()) {
    // A box that all classes share (SCR) does not depend on their number.
    if (head !== 'scr' && classes !== labels.length) {
      const message = `expected ${labels.length}, one a label; received ${classes}`;
      yield { path: ['networks', i, 'classes'], message };
    }
    if (trainingScale.min < crop) {
      const message = `expected at least the crop of ${crop}; received ${trainingScale.min}`;
      yield { path: ['networks', i, 'trainingScale'], message };
    }
  }
}

/** Its networks look at one picture together, and at least one of them names classes. */
function* reasonsNotToServe({ networks, scales = [] }: Contents): Generator<Problem> {
  const { crop } = networks[0]!;
  for (const [i, network] of networks.entries()) {
    if (network.crop !== crop) {
      const message = `expected ${crop} as of the first network; received ${network.crop}`;
      yield { path: ['networks', i, 'crop'], message };
    }
  }
  if (!networks.some(({ head }) => head === 'classes')) {
    yield { path: ['networks'], message: 'expected at least one network of head "classes"; received none' };
  }
  const small = scales.find((scale) => scale < crop);
  if (small !== undefined) {
    yield { path: ['scales'], message: `expected at least the crop of ${crop}; received ${small}` };
  }
}
