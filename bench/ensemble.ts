import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Ensemble } from '../src/ensembles/ensemble.ts';
import { loadEnsemble } from '../src/ensembles/load.ts';
import { writeEnsembleVersion } from '../src/ensembles/write.ts';
import type { NetworkSpec } from '../src/network/architecture.ts';
import { hashedSources } from '../test/network/hashed.ts';

/** Ensembles of hashed weights: as large and as slow as trained ones. Made once, kept out of git. */
export const weightsFolder = fileURLToPath(new URL('../.cache/bench', import.meta.url));

export type Knobs = Pick<NetworkSpec, 'width' | 'fc' | 'classes' | 'crop'>;

/** The paper's own size: 1.1 GB of weights. */
export const fullSize: Knobs = { width: 1, fc: 4096, classes: 1000, crop: 224 };
/** The size of the demo ensemble: a request takes milliseconds. */
export const smallSize: Knobs = { width: 0.125, fc: 256, classes: 101, crop: 128 };

/** Networks D and E as version 1 of the ensemble `name`. */
export async function benchEnsemble(name: string, knobs: Knobs): Promise<Ensemble> {
  if (!existsSync(join(weightsFolder, name, '1'))) {
    const networks = (['D', 'E'] as const).map((architecture, i) => ({
      name: architecture.toLowerCase(),
      architecture,
      ...knobs,
      head: 'classes' as const,
      preprocessing: {
        channelOrder: 'rgb' as const,
        scale: 1,
        mean: [123.68, 116.779, 103.939] as [number, number, number],
        std: [1, 1, 1] as [number, number, number],
      },
      trainingScale: { min: knobs.crop + 32, max: knobs.crop + 32 },
      provenance: { command: 'npm run bench' },
      weights: hashedSources({ architecture, head: 'classes', ...knobs }, 1000 * (i + 1)),
    }));
    const labels = Array.from({ length: knobs.classes }, (_, i) => `class ${i}`);
    await writeEnsembleVersion(weightsFolder, { ensemble: name, version: '1', labels, networks });
  }
  return loadEnsemble(weightsFolder, name, '1');
}
