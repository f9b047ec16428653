import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { messageOf, VerydeepError } from '../errors.ts';
import {
  checkFolderManifest,
  type FolderManifest,
  manifestName,
  readJson,
  readManifest,
} from './manifest.ts';
import { type NetworkInFolder, networkSchema, usualNameOf } from './network.ts';

/**
 * The network that a training left: the manifest of its folder has one network. Its weights are not read. Throws
 * INVALID_WEIGHTS.
 */
export function readRun(path: string): NetworkInFolder {
  const folder = resolve(path);
  const { labels, networks } = readRunManifest(folder);
  const [network, ...others] = networks;
  if (network && others.length === 0) return { folder, network, labels };
  throw invalidWeights(
    `expected ${folder} to have one network, as a training leaves it; it has ${networks.length}`,
  );
}

// --- helpers ---

function readRunManifest(folder: string): FolderManifest {
  try {
    const isOld = !existsSync(join(folder, manifestName)) && existsSync(join(folder, oldName));
    return isOld ? readOldManifest(join(folder, oldName)) : readManifest(folder).manifest;
  } catch (cause) {
    throw invalidWeights(
      `expected ${folder} to be the folder of a finished training: ${messageOf(cause)}`,
      cause,
    );
  }
}

/** Before trainings left manifests they left this, and the weights in `network.safetensors`. */
const oldName = 'network.json';

const { architecture, head } = networkSchema.shape;
const oldSchema = z.looseObject({
  format: z.literal(1),
  spec: z.looseObject({ architecture, head }),
  labels: z.unknown(),
});

function readOldManifest(path: string): FolderManifest {
  const { json } = readJson(path);
  const { data } = oldSchema.safeParse(json);
  if (!data) throw invalidWeights(`${path}: expected a description of format 1`);
  const { format, labels, spec, ...rest } = data;
  const network = { name: usualNameOf(spec), ...spec, ...rest, file: 'network.safetensors' };
  return checkFolderManifest({ format, labels, networks: [network] }, path);
}

function invalidWeights(message: string, cause?: unknown): VerydeepError {
  return new VerydeepError('INVALID_WEIGHTS', message, { cause });
}
