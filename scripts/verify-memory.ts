/**
 * `npm run verify:memory`: VGG-16 at full size, 138 million hashed weights, is written as a candidate, checked, halved and made a
 * version again, and a training step on oneDNN writes its checkpoint, all in this process. Prints how far its resident memory rose above what it was before each, at the highest
 * moment; at most 100 MB are allowed, of files of 553 MB. Needs 2.5 GB of room in the temporary folder
 * and 2 GB of memory for the step.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOnednnTrainingStep } from '../src/engine/onednn/training-step.ts';
import type { TrainingStep } from '../src/engine/training-step.ts';
import { writeCandidate } from '../src/ensembles/candidate.ts';
import { loadEnsemble } from '../src/ensembles/load.ts';
import { type NewNetwork, writeEnsembleVersion } from '../src/ensembles/write.ts';
import { isVerydeepError } from '../src/errors.ts';
import { openSafetensors } from '../src/formats/safetensors/read.ts';
import { colourStatistics } from '../src/image/colour-shift.ts';
import type { NetworkSpec } from '../src/network/architecture.ts';
import { storedAs } from '../src/network/weights.ts';
import { threadLimit } from '../src/processes/threads.ts';
import { type CheckpointHeader, readCheckpoint, writeCheckpoint } from '../src/training/checkpoint.ts';
import { initialScheduleState } from '../src/training/schedule.ts';
import { parseSettings } from '../src/training/settings.ts';
import { hashedSources } from '../test/network/hashed.ts';
import { peakBytes, startPeak } from './peak-memory.ts';

const allowedBytes = 100e6;
const fullSize: NetworkSpec = {
  architecture: 'D',
  width: 1,
  fc: 4096,
  classes: 1000,
  crop: 224,
  head: 'classes',
};
const folder = mkdtempSync(join(tmpdir(), 'verydeep-'));

try {
  await everything(
    join(folder, 'small'),
    { ...fullSize, width: 1 / 16, fc: 64, classes: 10 },
    () => undefined,
  );
  await everything(join(folder, 'full'), fullSize, ({ what, fileBytes, grownBytes }) => {
    const isWithin = grownBytes <= allowedBytes;
    console.log(
      `${isWithin ? 'ok    ' : 'TOO MUCH'} ${what}, weights of ${megabytes(fileBytes)}: ${megabytes(grownBytes)} more`,
    );
    if (!isWithin) process.exitCode = 1;
  });
} finally {
  rmSync(folder, { recursive: true });
}

interface Measured {
  readonly what: string;
  readonly fileBytes: number;
  readonly grownBytes: number;
}

async function everything(
  weights: string,
  spec: NetworkSpec,
  report: (row: Measured) => void,
): Promise<void> {
  const network = (tensors: NewNetwork['weights']): NewNetwork => ({
    name: 'd',
    ...spec,
    preprocessing: { channelOrder: 'rgb', scale: 1, mean: [124, 117, 104], std: [1, 1, 1] },
    trainingScale: { min: 256, max: 256 },
    provenance: { command: 'npm run verify:memory' },
    weights: tensors,
  });
  const labels = Array.from({ length: spec.classes }, (_, i) => `class ${i}`);
  const version = { ensemble: 'd', labels };
  const file = join(weights, 'd', '1', 'd.safetensors');
  const measure = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const before = startPeak();
    await work();
    report({ what, fileBytes: statSync(file).size, grownBytes: peakBytes() - before });
  };

  await measure('a candidate is written', () =>
    writeCandidate(weights, {
      ...version,
      networks: [network(hashedSources(spec, 1))],
      provenance: { command: 'npm run verify:memory', job: 'none' },
    }),
  );
  await measure('it is checked', () => loadEnsemble(weights, 'd', '1'));
  await measure('it is written with half the bits', () =>
    writeEnsembleVersion(weights, {
      ...version,
      version: '2',
      networks: [network(storedAs(openSafetensors(file).tensors, 'F16'))],
    }),
  );
  const { sha256 } = JSON.parse(readFileSync(join(weights, 'd', '1', 'manifest.json'), 'utf8')).networks[0];
  await measure('it becomes part of another version', () =>
    writeEnsembleVersion(weights, { ...version, version: '3', networks: [network({ path: file, sha256 })] }),
  );
  await measureCheckpoint(join(weights, 'checkpoint.safetensors'), spec, labels, measure);
}

async function measureCheckpoint(
  path: string,
  spec: NetworkSpec,
  labels: readonly string[],
  measure: (what: string, work: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const preprocessing = { channelOrder: 'rgb', scale: 1, mean: [124, 117, 104], std: [1, 1, 1] } as const;
  const settings = parseSettings({ data: 'none' });
  const options = { momentum: 0.9, weightDecay: 5e-4, trainable: 'all', precision: 'fp32' } as const;
  let step: TrainingStep;
  try {
    const weights = hashedSources(spec, 1);
    const machine = { device: 'cpu', threads: threadLimit() } as const;
    step = await createOnednnTrainingStep({
      spec,
      preprocessing,
      weights,
      microBatch: 1,
      ...options,
      ...machine,
    });
  } catch (error) {
    if (!isVerydeepError(error, 'DEVICE_UNAVAILABLE')) throw error;
    console.log(`skipped: a checkpoint of a training needs oneDNN (npm run setup:onednn)`);
    return;
  }
  const header: CheckpointHeader = {
    format: 2,
    settings,
    spec,
    preprocessing,
    labels,
    datasetDigest: 'sha256:0',
    colours: colourStatistics([{ width: 1, height: 1, pixels: Uint8Array.of(1, 2, 3) }]),
    state: { epoch: 1, step: 0, lossSum: 0, schedule: initialScheduleState },
    learningRate: 0.01,
  };
  await measure('a training writes its checkpoint, with velocity', async () =>
    writeCheckpoint(path, {
      header,
      weights: await step.readWeights(),
      velocity: await step.readVelocity(),
    }),
  );
  await measure('a checkpoint is read and checked', () => readCheckpoint(path));
  await step.dispose();
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
