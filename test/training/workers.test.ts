import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { engines } from '../../src/engine/engines.ts';
import {
  createParallelTrainingStep,
  type ParallelTrainingStep,
} from '../../src/engine/parallel/training-step.ts';
import type { CreatePlacedStep } from '../../src/engine/training-step.ts';
import { readRun } from '../../src/ensembles/run.ts';
import { copyOfWeights } from '../../src/network/weights.ts';
import { readCheckpoint } from '../../src/training/checkpoint.ts';
import type { TrainingEvent } from '../../src/training/events.ts';
import { parseSettings } from '../../src/training/settings.ts';
import { train } from '../../src/training/train.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { writeColourDataset } from './pictures.ts';

const folder = temporaryFolder();
beforeAll(() => {
  writeColourDataset(join(folder, 'data'));
});

interface Run {
  readonly out: string;
  readonly workers: number;
  readonly resume?: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TrainingEvent, pids: readonly number[]) => void;
}

/** Three epochs of four steps. */
async function start({ out, workers, resume = false, signal, onEvent }: Run): ReturnType<typeof train> {
  let step: ParallelTrainingStep | undefined;
  const createStep: CreatePlacedStep = async (recipe) => {
    const options = { ...recipe, device: 'cpu' } as const;
    if (workers === 1) return engines.createTrainingStep('onnx', options);
    step = await createParallelTrainingStep(options, { engine: 'onnx', workers });
    return step;
  };
  return train({
    settings: parseSettings({
      data: join(folder, 'data'),
      architecture: 'A',
      width: 1 / 64,
      fc: 8,
      crop: 32,
      scale: '32-36',
      batch: 6,
      epochs: 3,
      initialise: 'he',
      threads: 2,
      workers,
    }),
    out: join(folder, out),
    resume,
    command: 'verydeep train',
    findSource: readRun,
    createStep,
    engine: await engines.createEngine({
      engine: 'onnx',
      device: 'cpu',
      threads: 1,
      sharedCores: true,
      precision: 'fp32',
    }),
    limits: { maxFileBytes: 1e6, maxPixels: 1e6 },
    onEvent: (event) => onEvent?.(event, step?.pids ?? []),
    signal: signal ?? new AbortController().signal,
  });
}

const checkpointOf = (out: string): string => join(folder, out, 'checkpoint.safetensors');
const bytesOf = (out: string): Buffer => readFileSync(checkpointOf(out));

describe('training with workers', () => {
  it('ends in the network of one process, to within rounding', async () => {
    await start({ out: 'one', workers: 1 });
    await start({ out: 'two', workers: 2 });
    const weightsIn = async (out: string) => copyOfWeights((await readCheckpoint(checkpointOf(out))).weights);
    const [one, two] = await Promise.all(['one', 'two'].map(weightsIn));
    for (const [name, { data }] of one!) {
      const other = two!.get(name)!.data;
      const difference = Math.hypot(...data.map((value, i) => value - other[i]!));
      expect(difference / Math.hypot(...data), name).toBeLessThan(1e-4);
    }
  });

  it('ends in the same bytes when it is interrupted and resumed, but not with other workers', async () => {
    const controller = new AbortController();
    const stop = (event: TrainingEvent): void => {
      if (event.type === 'step' && event.epoch === 2 && event.step === 3) controller.abort();
    };
    await start({ out: 'stopped', workers: 2, signal: controller.signal, onEvent: stop });
    await expect(start({ out: 'stopped', workers: 3, resume: true })).rejects.toThrow(
      /these differ: workers$/,
    );
    await start({ out: 'stopped', workers: 2, resume: true });
    expect(bytesOf('stopped').equals(bytesOf('two'))).toBe(true);
  });

  it('stops when a worker is killed, and goes on from its last checkpoint to the same bytes', async () => {
    const kill = (event: TrainingEvent, pids: readonly number[]): void => {
      if (event.type === 'step' && event.epoch === 3 && event.step === 2) process.kill(pids[1]!, 'SIGKILL');
    };
    await expect(start({ out: 'killed', workers: 2, onEvent: kill })).rejects.toMatchObject({
      code: 'WORKER_LOST',
    });
    const { header } = await readCheckpoint(checkpointOf('killed'));
    expect(header.state).toMatchObject({ epoch: 3, step: 0 });
    await start({ out: 'killed', workers: 2, resume: true });
    expect(bytesOf('killed').equals(bytesOf('two'))).toBe(true);
  });
});
