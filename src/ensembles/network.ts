import { join } from 'node:path';
import { z } from 'zod';
import { architectureNames, type NetworkSpec, poolStride } from '../network/architecture.ts';
import type { EnsembleNetwork } from './ensemble.ts';

const count = z.number().int().positive();
const threeNumbers = z.tuple([z.number(), z.number(), z.number()]).readonly();
const threePositive = z
  .tuple([z.number().positive(), z.number().positive(), z.number().positive()])
  .readonly();
/** Figures as they were measured, by name. */
export const metricsSchema = z.record(z.string(), z.unknown());
/** Where weights come from: the command that made them, and whatever else leads back to their origin. */
export const provenanceSchema = z.looseObject({ command: z.string().min(1) });

/** A name that is one path segment, so that no manifest or request can point out of its folder. */
export const nameSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]*$/,
    'expected lower-case letters, digits, - and _, starting with a letter or digit',
  );

/** A network on disk, wherever it lies: what it is, where it comes from, and the file with its weights. */
export const networkSchema = z
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
      std: threePositive,
    }),
    /** Smallest side S of the training pictures in pixels. */
    trainingScale: z.strictObject({ min: count, max: count }),
    /** Layers that were tuned. Older trainings do not say. */
    trainable: z.enum(['all', 'fullyConnected']).optional(),
    file: z
      .string()
      .regex(
        /^[A-Za-z0-9][\w.-]*\.safetensors$/,
        'expected the name of a .safetensors file beside the manifest',
      ),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'),
    metrics: metricsSchema.optional(),
    provenance: provenanceSchema,
  })
  .refine(({ trainingScale: { min, max } }) => min <= max, {
    path: ['trainingScale'],
    message: 'expected min <= max',
  });

export type StoredNetwork = z.infer<typeof networkSchema>;

/** A network of a folder with a manifest: a version, or what a training left. */
export interface NetworkInFolder {
  /** Absolute path. */
  readonly folder: string;
  readonly network: StoredNetwork;
  /** In the order of its outputs. */
  readonly labels: readonly string[];
}

/** Absolute path of its weights. */
export function weightsPathOf({ folder, network }: Pick<NetworkInFolder, 'folder' | 'network'>): string {
  return join(folder, network.file);
}

/** What a network is called if nobody gives it a name: `d`, `e`, `boxes`. */
export function usualNameOf({ architecture, head }: Pick<NetworkSpec, 'architecture' | 'head'>): string {
  return head === 'classes' ? architecture.toLowerCase() : 'boxes';
}

/** As engines load it and evaluations describe it. */
export function asEnsembleNetwork({ folder, network }: Omit<NetworkInFolder, 'labels'>): EnsembleNetwork {
  const { name, preprocessing, trainingScale, trainable, metrics } = network;
  return {
    name,
    spec: specOf(network),
    preprocessing,
    trainingScale,
    ...(trainable && { trainable }),
    ...(metrics && { metrics }),
    path: weightsPathOf({ folder, network }),
  };
}

// --- helpers ---

function specOf({ architecture, width, fc, classes, crop, head }: StoredNetwork): NetworkSpec {
  return { architecture, width, fc, classes, crop, head };
}
