import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from '../../src/commands/assemble.ts';
import { loadEnsemble } from '../../src/ensembles/load.ts';
import { openSafetensors } from '../../src/formats/safetensors/read.ts';
import { colourStatistics } from '../../src/image/colour-shift.ts';
import type { Head, NetworkSpec } from '../../src/network/architecture.ts';
import { initialWeights } from '../../src/network/initialisers.ts';
import { createRandom } from '../../src/network/random.ts';
import { copyOfWeights } from '../../src/network/weights.ts';
import { openRunFolder, writeTrainedNetwork } from '../../src/training/run-folder.ts';
import { initialScheduleState } from '../../src/training/schedule.ts';
import { parseSettings } from '../../src/training/settings.ts';

let root: string;
const at = (...names: string[]): string => join(root, ...names);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'verydeep-'));
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await writeRun('d', ['ant', 'bee', 'cat'], 'classes');
  await writeRun('other', ['ant', 'bee', 'dog'], 'classes');
  await writeRun('boxes', ['ant', 'wasp'], 'scr');
});
afterAll(() => rmSync(root, { recursive: true }));

async function writeRun(name: string, labels: string[], head: Head): Promise<void> {
  const spec: NetworkSpec = {
    architecture: 'A',
    width: 1 / 64,
    fc: 4,
    crop: 32,
    head,
    classes: labels.length,
  };
  const folder = await openRunFolder(at(name), false);
  const settings = parseSettings({ data: name, crop: 32, scale: { min: 32, max: 64 }, from: 'x', head });
  const state = { epoch: 2, step: 0, lossSum: 0, schedule: initialScheduleState };
  const header = {
    format: 2,
    settings,
    spec,
    labels,
    preprocessing: { channelOrder: 'rgb', scale: 1, mean: [1, 2, 3], std: [1, 1, 1] },
    datasetDigest: 'sha256:0',
    colours: colourStatistics([{ width: 1, height: 1, pixels: Uint8Array.of(1, 2, 3) }]),
    learningRate: 0.01,
    state: { ...state, best: { epoch: 1, loss: 1, accuracy: 0.5 } },
  } as const;
  const weights = copyOfWeights(initialWeights(spec, 'he', createRandom(1)));
  await writeTrainedNetwork(folder, { header, weights }, `verydeep train --out ${name}`);
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
    await expect(run(args)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});
