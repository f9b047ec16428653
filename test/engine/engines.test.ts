import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseTrainingEngine } from '../../src/engine/choose-training.ts';
import type { EngineRow } from '../../src/engine/engine-row.ts';
import { engines, engineTable } from '../../src/engine/engines.ts';
import { findOnednnLibrary } from '../../src/engine/onednn/library/find.ts';
import { createParallelTrainingStep } from '../../src/engine/parallel/training-step.ts';
import { VerydeepError } from '../../src/errors.ts';
import { describeOnednn } from './onednn/library.ts';
import { tinyOptions } from './parallel/tiny.ts';
import { readFixture } from './reference-values.ts';

const libraryPath = '/nowhere/libdnnl.so.3';
const unavailable = { code: 'DEVICE_UNAVAILABLE', message: expect.stringContaining(libraryPath) };
const cpu = { devices: ['cpu'], precision: 'fp32' } as const;

describe('the table of engines', () => {
  it('names commands that are there', () => {
    const commands = Object.values<EngineRow>(engineTable).flatMap(({ setup }) => setup?.command ?? []);
    expect(commands).not.toEqual([]);
    for (const command of commands) {
      const file = `../../src/commands/${command.replace('verydeep ', '')}.ts`;
      expect(existsSync(new URL(file, import.meta.url))).toBe(true);
    }
  });

  it('says of every kind of device that an engine knows what it needs', () => {
    for (const { needs, serving, training } of Object.values<EngineRow>(engineTable)) {
      const kinds = Object.keys({ ...serving.support, ...training?.support });
      expect(Object.keys(needs).sort()).toEqual(kinds.sort());
    }
  });
});

describe('what is asked of an engine', () => {
  it('is refused on a device that it does not know, instead of being computed elsewhere', async () => {
    const options = { device: 'cuda:0', threads: 1, sharedCores: true, precision: 'fp32' } as const;
    await expect(engines.createEngine({ ...options, engine: 'onednn' })).rejects.toMatchObject({
      code: 'INVALID_SETTINGS',
      message: 'devices: expected cpu with engine onednn; received cuda:0',
    });
  });

  it.each([
    ['onnx', { device: 'cuda:0' }, 'devices: expected cpu with engine onnx; received cuda:0'],
    ['onednn', { device: 'cuda:0' }, 'devices: expected cpu with engine onednn; received cuda:0'],
    [
      'onnx',
      { precision: 'bf16' },
      'precision: expected fp32 with engine onnx on cpu; received bf16, which onednn computes on cpu',
    ],
    ['reference', {}, 'engine: expected one that trains (auto, onednn, onnx); received reference'],
  ] as const)('is refused of a training step: %s with %j', async (engine, changes, message) => {
    const options = { ...tinyOptions(await readFixture('d-tiny.training')), ...changes };
    const refused = { code: 'INVALID_SETTINGS', message };
    await expect(engines.createTrainingStep(engine, options)).rejects.toMatchObject(refused);
    const { device, precision, threads } = options;
    const choosing = chooseTrainingEngine(engine, { device, precision, threads, workers: 1 }, () => {});
    await expect(choosing).rejects.toMatchObject(refused);
  });
});

describe('auto', () => {
  const gone = async (engine: string): Promise<never> => {
    throw new VerydeepError('DEVICE_UNAVAILABLE', `${engine} is not there`);
  };

  it.each([
    ['cpu', 'fp32', ['onednn', 'onnx']],
    ['cpu', 'bf16', ['onednn']],
    ['cuda:0', 'fp32', ['onnx']],
    ['webgpu', 'fp32', ['onnx']],
  ] as const)('on %s in %s is one of %j', (device, precision, candidates) => {
    const wish = { engine: 'auto', devices: [device], precision } as const;
    expect(engines.choose(wish, 'serving').candidates).toEqual(candidates);
  });

  it('means oneDNN where its library is named and can be used', () => {
    const wish = { engine: 'auto', ...cpu, libraryPath } as const;
    expect(engines.choose(wish, 'serving').candidates).toEqual(['onednn']);
    expect(engines.choose({ ...wish, devices: ['cuda:0'] }, 'serving').candidates).toEqual(['onnx']);
  });

  it('takes the first and says so', async () => {
    const taken = await engines.take({ engine: 'auto', ...cpu }, 'serving', async (engine) => engine);
    expect(taken).toEqual({
      engine: 'onednn',
      value: 'onednn',
      reason: 'engine auto took onednn, the first of onednn, onnx for cpu in fp32',
    });
  });

  it('goes on to the next when one is not there, and says why and what would help', async () => {
    const start = async (engine: string) => (engine === 'onednn' ? gone(engine) : engine);
    const taken = await engines.take({ engine: 'auto', ...cpu }, 'training', start);
    expect(taken).toEqual({
      engine: 'onnx',
      value: 'onnx',
      reason:
        'engine auto took onnx for cpu in fp32: onednn is not there; "verydeep setup-onednn" would give about twice the speed of training, and bf16 on CPUs that have it',
    });
  });

  it('fails with the last reason when none is there, and at once with any other error', async () => {
    const taking = engines.take({ engine: 'auto', ...cpu }, 'serving', gone);
    await expect(taking).rejects.toThrow('onnx is not there');
    const failing = engines.take({ engine: 'auto', ...cpu }, 'serving', async (engine) => {
      throw new VerydeepError('INVALID_WEIGHTS', engine);
    });
    await expect(failing).rejects.toThrow('onednn');
  });
});

describe('the path of a library', () => {
  it('reaches a training step, in this process and in workers', async () => {
    const options = { ...tinyOptions(await readFixture('d-tiny.training')), libraryPath };
    await expect(engines.createTrainingStep('onednn', options)).rejects.toMatchObject(unavailable);
    const parallel = createParallelTrainingStep(options, { engine: 'onednn', workers: 2 });
    await expect(parallel).rejects.toMatchObject(unavailable);
  });

  it.each(['auto', 'onednn'] as const)('reaches what a training chooses with %s', async (engine) => {
    const placement = { device: 'cpu', precision: 'fp32', threads: 1, workers: 1, libraryPath } as const;
    await expect(chooseTrainingEngine(engine, placement, () => {})).rejects.toMatchObject(unavailable);
  });
});

describeOnednn('a training on oneDNN', () => {
  it('makes its step from the library that was given, as long as that is there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'verydeep-'));
    const given = join(folder, 'libdnnl');
    symlinkSync(findOnednnLibrary()!, given);
    const placement = {
      device: 'cpu',
      precision: 'fp32',
      threads: 1,
      workers: 1,
      libraryPath: given,
    } as const;
    const { createStep, engine } = await chooseTrainingEngine('auto', placement, () => {});
    const options = tinyOptions(await readFixture('d-tiny.training'));
    const step = await createStep(options);
    expect(step.name).toMatch(/^onednn 3/);
    await step.dispose();
    await engine.dispose();
    rmSync(folder, { recursive: true });
    await expect(createStep(options)).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringContaining(given),
    });
  });
});
