import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { VerydeepError } from '../errors.ts';
import { syncFolder, writeDurably } from '../files/durable.ts';
import { parseSafetensors } from '../formats/safetensors.ts';
import { tensorsOf } from '../network/layers.ts';
import { checkManifest, type Manifest, type ManifestNetwork, manifestName, specOf } from './manifest.ts';

/** What the writer adds to a network: the name of its file and the hash. */
export interface NewNetwork extends Omit<ManifestNetwork, 'file' | 'sha256'> {
  /** The bytes of its safetensors file; asked for one network at a time, since they are large. */
  readonly read: () => Promise<Buffer>;
}

export interface NewVersion extends Omit<Manifest, 'format' | 'networks'> {
  readonly networks: readonly NewNetwork[];
}

/**
 * Writes the folder `directory/NAME/VERSION`: the networks' files, then the manifest. All is written and synced under a
 * temporary name and renamed, so a version is there whole or not at all. Versions never change: throws
 * INVALID_WEIGHTS where it exists, where the manifest would not be valid, or a file lacks a tensor of its network.
 * Answers the folder's path.
 */
export async function writeEnsembleVersion(directory: string, version: NewVersion): Promise<string> {
  const draft: Manifest = {
    format: 1,
    ...version,
    networks: version.networks.map(({ read: _, ...network }) => ({
      ...network,
      file: `${network.name}.safetensors`,
      sha256: '0'.repeat(64),
    })),
  };
  // Before any file is written, and before names become paths.
  checkManifest(draft, 'new version');
  const parent = resolve(directory, draft.ensemble);
  const folder = join(parent, draft.version);
  if (existsSync(folder)) throw taken(folder);
  await mkdir(parent, { recursive: true });
  // Several machines may share the folder of weights.
  const temporary = join(parent, `.${draft.version}.${hostname()}.${process.pid}.tmp`);
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary);
  try {
    const networks: ManifestNetwork[] = [];
    for (const [i, network] of draft.networks.entries()) {
      const bytes = await version.networks[i]!.read();
      checkTensors(bytes, network);
      await writeDurably(join(temporary, network.file), bytes);
      networks.push({ ...network, sha256: createHash('sha256').update(bytes).digest('hex') });
    }
    await writeDurably(join(temporary, manifestName), `${JSON.stringify({ ...draft, networks }, null, 2)}\n`);
    await syncFolder(temporary);
    await rename(temporary, folder).catch((cause: NodeJS.ErrnoException) => {
      throw cause.code === 'ENOTEMPTY' || cause.code === 'EEXIST' ? taken(folder) : cause;
    });
    await syncFolder(parent);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return folder;
}

// --- helpers ---

function checkTensors(bytes: Buffer, network: ManifestNetwork): void {
  const { tensors } = parseSafetensors(bytes, network.file);
  for (const { name, shape } of tensorsOf(specOf(network))) {
    const received = tensors.get(name)?.shape;
    if (received?.join() !== shape.join()) {
      const found = received ? `[${received.join(', ')}]` : 'none';
      throw new VerydeepError(
        'INVALID_WEIGHTS',
        `${network.file}: expected ${name} [${shape.join(', ')}], received ${found}`,
      );
    }
  }
}

function taken(folder: string): VerydeepError {
  return new VerydeepError(
    'INVALID_WEIGHTS',
    `${folder}: expected a new version, this one exists and never changes`,
  );
}
