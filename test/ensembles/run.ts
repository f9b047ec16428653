import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeManifest } from '../../src/ensembles/manifest.ts';
import { type StoredNetwork, usualNameOf } from '../../src/ensembles/network.ts';
import { writeSafetensors } from '../../src/formats/safetensors/write.ts';
import type { NetworkSpec } from '../../src/network/architecture.ts';
import type { WeightSources } from '../../src/network/weights.ts';

export interface RunOfTests
  extends Pick<StoredNetwork, 'preprocessing' | 'trainingScale'>,
    Partial<Pick<StoredNetwork, 'trainable'>> {
  readonly spec: NetworkSpec;
  readonly labels: readonly string[];
  readonly weights: WeightSources;
}

/** Writes a folder as a finished training leaves it, without its log and checkpoint. */
export async function writeRun(
  folder: string,
  { spec, labels, weights, ...rest }: RunOfTests,
): Promise<StoredNetwork> {
  mkdirSync(folder, { recursive: true });
  const file = 'epoch-1.safetensors';
  const network: StoredNetwork = {
    name: usualNameOf(spec),
    ...spec,
    ...rest,
    file,
    sha256: await writeSafetensors(join(folder, file), weights),
    metrics: { epoch: 1, loss: 1, accuracy: 0.5 },
    provenance: { command: `verydeep train --out ${folder}`, dataset: 'data', datasetDigest: 'sha256:0' },
  };
  await writeManifest(folder, { format: 1, labels: [...labels], networks: [network] });
  return network;
}
