import { writeEnsembleVersion } from '../../src/ensembles/write.ts';
import type { NetworkSpec } from '../../src/network/architecture.ts';
import type { Weights } from '../../src/network/weights.ts';
import { hashedWeights } from '../network/hashed.ts';

export const tinyLabels = ['ant', 'bee', 'cat', 'dog', 'emu'];

/**
 * Writes a version of `tiny` into a folder of ensembles: two classifiers, `a` and `b`, and `boxes`, with hashed weights,
 * other ones in each version.
 */
export async function writeTinyEnsemble(weightsDir: string, version = '1'): Promise<void> {
  const stream = 1000 * (Number(version) - 1);
  await writeEnsembleVersion(weightsDir, {
    ensemble: 'tiny',
    version,
    labels: tinyLabels,
    networks: [
      network('a', 'classes', stream + 1),
      network('b', 'classes', stream + 100),
      network('boxes', 'scr', stream + 200),
    ],
  });
}

// --- helpers ---

function network(name: string, head: 'classes' | 'scr', stream: number) {
  const classes = tinyLabels.length;
  const spec: NetworkSpec = { architecture: 'A', width: 1 / 32, fc: 4, classes, crop: 32, head };
  return {
    name,
    ...spec,
    preprocessing: {
      channelOrder: 'rgb' as const,
      scale: 1,
      mean: [120, 115, 105] as [number, number, number],
      std: [1, 1, 1] as [number, number, number],
    },
    trainingScale: { min: 32, max: 64 },
    provenance: { command: 'a test' },
    weights: head === 'scr' ? centralBoxes(spec, stream) : hashedWeights(spec, stream),
  };
}

/** A network whose box is the middle of every window, whatever is on it. */
function centralBoxes(spec: NetworkSpec, stream: number): Weights {
  const weights = new Map(hashedWeights(spec, stream));
  weights.set('classifier.6.weight', { shape: [4, spec.fc], data: new Float32Array(4 * spec.fc) });
  return weights.set('classifier.6.bias', { shape: [4], data: new Float32Array(4).fill(0.5) });
}
