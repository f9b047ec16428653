import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from '../../src/commands/assemble.ts';
import { loadEnsemble } from '../../src/ensembles/load.ts';
import { openSafetensors } from '../../src/formats/safetensors/read.ts';
import type { Head, NetworkSpec } from '../../src/network/architecture.ts';
import { initialWeights } from '../../src/network/initialisers.ts';
import { createRandom } from '../../src/network/random.ts';
import { copyOfWeights } from '../../src/network/weights.ts';
import { writeRun } from '../ensembles/run.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const root = temporaryFolder();
const at = (...names: string[]): string => join(root, ...names);

beforeAll(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await writeTinyRun('d', ['ant', 'bee', 'cat'], 'classes');
  await writeTinyRun('other', ['ant', 'bee', 'dog'], 'classes');
  await writeTinyRun('boxes', ['ant', 'wasp'], 'scr');
  await writeTinyRun('huge', ['ant', 'bee', 'cat'], 'classes', 1e6);
});

async function writeTinyRun(name: string, labels: string[], head: Head, last = 0): Promise<void> {
  const spec: NetworkSpec = {
    architecture: 'A',
    width: 1 / 64,
    fc: 4,
    crop: 32,
    head,
    classes: labels.length,
  };
  const weights = copyOfWeights(initialWeights(spec, 'he', createRandom(1)));
  weights.get('classifier.6.bias')!.data.fill(last);
  await writeRun(at(name), {
    spec,
    labels,
    weights,
    preprocessing: { channelOrder: 'rgb', scale: 1, mean: [1, 2, 3], std: [1, 1, 1] },
    trainingScale: { min: 32, max: 64 },
  });
}

describe('verydeep assemble', () => {
  it('writes a version that loads, at half size where asked', async () => {
    const common = ['--weights', at('weights'), '--ensemble', 'mine'];
    expect(await run([...common, '--version', '1', at('d'), `boxes=${at('boxes')}`])).toBe(0);
    expect(await run([...common, '--version', '2', '--half', `half=${at('d')}`])).toBe(0);

    const ensemble = await loadEnsemble(at('weights'), 'mine', '1');
    expect(ensemble.labels).toEqual(['ant', 'bee', 'cat']);
    expect(ensemble.classifiers.map(({ name }) => name)).toEqual(['d']);
    expect(ensemble.localisers.map(({ name }) => name)).toEqual(['boxes']);
    expect(ensemble.scales).toEqual([32, 48, 64]);

    const half = await loadEnsemble(at('weights'), 'mine', 'latest');
    const weightsIn = (path: string) => copyOfWeights(openSafetensors(path).tensors);
    const whole = weightsIn(ensemble.classifiers[0]!.path);
    for (const [name, { data }] of weightsIn(half.classifiers[0]!.path)) {
      data.forEach((value, i) => {
        const exact = whole.get(name)!.data[i]!;
        expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.abs(exact) / 1024 + 1e-7);
      });
    }
  });

  it('never writes a version twice', async () => {
    const args = ['--weights', at('weights'), '--ensemble', 'once', '--version', '1', at('d')];
    await run(args);
    await expect(run(args)).rejects.toMatchObject({ code: 'INVALID_WEIGHTS' });
  });

  it('refuses other labels, no classifier, no run, and missing options', async () => {
    const args = ['--weights', at('weights'), '--ensemble', 'bad', '--version', '1'];
    await expect(run([...args, at('d'), at('other')])).rejects.toThrow(/same labels/);
    await expect(run([...args, at('boxes')])).rejects.toThrow(/at least one classification network/);
    await expect(run([...args, at('nothing')])).rejects.toMatchObject({ code: 'INVALID_WEIGHTS' });
  });

  it.each([
    [
      ['--ensemble', 'bad', '--version', '1'],
      '[NAME=]RUN: expected at least one run folder; received nothing',
    ],
    [['d'], '--ensemble: expected text; received nothing. --version: expected text; received nothing'],
    [['--ensemble', 'My Own', '--version', '1', 'd'], '--ensemble: expected lower-case letters, digits'],
    [
      ['--ensemble', 'bad', '--version', '1.5', 'd'],
      '--version: expected a version number: 1, 2, ...; received "1.5"',
    ],
  ])('refuses %j', async (argv, message) => {
    await expect(run(argv)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(message),
    });
  });

  it('refuses numbers that half precision cannot hold, and a network that has changed', async () => {
    const args = ['--weights', at('weights'), '--ensemble', 'huge', '--version', '1'];
    await expect(run([...args, '--half', at('huge')])).rejects.toThrow(
      /tensor classifier\.6\.bias has one that is infinite or not a number as F16/,
    );
    expect(await run([...args, at('huge')])).toBe(0);
    truncateSync(at('huge', 'epoch-1.safetensors'), 2000);
    const again = ['--weights', at('weights'), '--ensemble', 'cut', '--version', '1', at('huge')];
    await expect(run(again)).rejects.toMatchObject({ code: 'INVALID_WEIGHTS' });
  });
});
