import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { EvaluationRequest, TrainingRequest } from '../../src/jobs/request.ts';
import { createJobCheck } from '../../src/tasks/check.ts';
import type { JobContext } from '../../src/tasks/context.ts';
import { evaluateForJob } from '../../src/tasks/evaluate.ts';
import { trainForJob } from '../../src/tasks/train.ts';
import { writeTinyDataset, writeTinyNetworks } from '../evaluation/tiny.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { writeColourDataset } from '../training/pictures.ts';

const root = temporaryFolder();
beforeAll(async () => {
  await writeTinyDataset(root, 1);
  await writeTinyNetworks(root);
  writeColourDataset(join(root, 'colours'));
});

const training: TrainingRequest = {
  type: 'train',
  dataset: 'colours',
  ensemble: 'mine',
  settings: { architecture: 'A', width: 1 / 64, fc: 8, crop: 32, scale: 32, batch: 4 },
};
const evaluation: EvaluationRequest = { type: 'evaluate', dataset: 'data', ensemble: 'mine', settings: {} };

function contextWith(engine: JobContext['engine'], libraryPath?: string): JobContext {
  return {
    weightsDir: join(root, 'weights'),
    datasetsDir: root,
    engine,
    device: 'cpu',
    ...(libraryPath !== undefined && { libraryPath }),
    threads: 1,
    idleOnly: false,
  };
}

it('a training is refused when it is posted where the engine of the service does not train', async () => {
  await expect(createJobCheck(contextWith('reference'))(training)).rejects.toMatchObject({
    code: 'INVALID_JOB',
    message: 'ENGINE: expected one that trains (auto, onednn, onnx); received reference',
  });
});

it('a training is refused when it is posted in a precision that the engine does not know', async () => {
  const request = { ...training, settings: { ...training.settings, precision: 'bf16' } };
  await expect(createJobCheck(contextWith('onnx'))(request)).rejects.toMatchObject({
    code: 'INVALID_JOB',
    message: expect.stringContaining('settings.precision: expected fp32 with engine onnx on cpu'),
  });
  await expect(createJobCheck(contextWith('auto'))(request)).resolves.toMatchObject({ precision: 'bf16' });
});

it('an evaluation is taken with any engine', async () => {
  await expect(createJobCheck(contextWith('reference'))(evaluation)).resolves.toMatchObject({ split: 'val' });
});

it('the library of the settings reaches trainings and evaluations', async () => {
  const options = {
    folder: join(root, 'job'),
    context: contextWith('auto', '/nowhere/libdnnl.so.3'),
    signal: new AbortController().signal,
    onEvent: () => {},
    onChoice: () => {},
  };
  const missing = { code: 'DEVICE_UNAVAILABLE', message: expect.stringContaining('/nowhere/libdnnl.so.3') };
  await expect(trainForJob({ ...options, id: '1', request: training })).rejects.toMatchObject(missing);
  await expect(evaluateForJob({ ...options, id: '2', request: evaluation })).rejects.toMatchObject(missing);
});
