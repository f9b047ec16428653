import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationOptions } from '../../src/evaluation/run.ts';
import { waves } from '../inference/tiny.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { put } from '../training/pictures.ts';
import { evaluateHere, tinyJob, writeTinyDataset, writeTinyNetworks } from './tiny.ts';

const root = temporaryFolder();
beforeAll(async () => {
  await writeTinyDataset(root);
  await writeTinyNetworks(root);
});

const outOf = (name: string): string => join(root, 'out', name);
const resultsOf = (name: string): string => join(outOf(name), 'images.jsonl');
const reportOf = (name: string): string => readFileSync(join(outOf(name), 'evaluation.json'), 'utf8');

/** A small evaluation with its results in a folder. */
const small = (name: string, changes: Partial<EvaluationOptions> = {}): EvaluationOptions =>
  tinyJob(root, { networks: ['a'], scales: [32], out: outOf(name), ...changes });

/** Images that an evaluation runs. */
async function imagesRun(options: EvaluationOptions): Promise<number> {
  let images = 0;
  await evaluateHere(options, ({ count }) => {
    images += count;
  });
  return images;
}

describe('an evaluation that was stopped', () => {
  it('by kill -9 goes on to the same report', async () => {
    const out = outOf('killed');
    const child = fileURLToPath(new URL('./killed-child.ts', import.meta.url));
    const { signal } = spawnSync(process.execPath, ['--import', 'tsx', child, root, out]);
    expect(signal).toBe('SIGKILL');
    const done = readFileSync(resultsOf('killed'), 'utf8').split('\n').length - 2;
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(12);

    const whole = await evaluateHere(tinyJob(root, { localise: true }));
    expect(await evaluateHere(tinyJob(root, { out, localise: true }))).toEqual(whole);
    expect(reportOf('killed')).toBe(`${JSON.stringify(whole, null, 2)}\n`);
  });

  it('by its signal answers nothing, and goes on', async () => {
    const controller = new AbortController();
    const progress: number[] = [];
    const stopped = await evaluateHere(
      small('aborted', {
        signal: controller.signal,
        onProgress({ done }) {
          progress.push(done);
          controller.abort();
        },
      }),
    );
    expect(stopped).toBeUndefined();
    expect(progress.at(-1)).toBeLessThan(12);
    expect(await imagesRun(small('aborted'))).toBe(12 - progress.at(-1)!);
    expect(await imagesRun(small('aborted'))).toBe(0);
    expect(await evaluateHere(small('aborted', { signal: controller.signal }))).toBeUndefined();
  });

  it('goes on from whatever was written', async () => {
    await evaluateHere(small('cut'));
    const report = reportOf('cut');
    const results = readFileSync(resultsOf('cut'));
    await fc.assert(
      fc.asyncProperty(fc.nat(results.length), async (length) => {
        writeFileSync(resultsOf('cut'), results.subarray(0, length));
        await evaluateHere(small('cut'));
        expect(reportOf('cut')).toBe(report);
        // Whole again: nothing is left to do.
        expect(await imagesRun(small('cut'))).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it('measures images again that are others now', async () => {
    const data = join(root, 'changing');
    for (const [i, name] of ['ant/0.png', 'bee/0.png', 'bee/1.png'].entries()) {
      put(join(data, 'val', name), Buffer.from(await waves(48, 48, i)));
    }
    const one = small('changed', { data });
    expect(await imagesRun(one)).toBe(3);
    put(join(data, 'val', 'bee/2.png'), Buffer.from(await waves(64, 48, 5)));
    expect(await imagesRun(one)).toBe(1);
    put(join(data, 'val', 'bee/2.png'), Buffer.from(await waves(64, 48, 6)));
    expect(await imagesRun(one)).toBe(1);
    expect(await evaluateHere(one)).toEqual(await evaluateHere({ ...one, out: outOf('fresh') }));
  });

  it.each<[string, Partial<EvaluationOptions>]>([
    ['scales', { scales: [32, 48] }],
    ['networks', { networks: ['b'] }],
    ['views', { view: ['crops'] }],
    ['mirror images', { flip: false }],
    ['ensemble', { ensembles: ['big'], scales: [64] }],
  ])('does not go on with other %s', async (what, changes) => {
    await evaluateHere(small(what));
    await expect(evaluateHere(small(what, changes))).rejects.toMatchObject({ code: 'INVALID_SETTINGS' });
  });

  it('does not go on from a file that is something else', async () => {
    await evaluateHere(small('garbage'));
    appendFileSync(resultsOf('garbage'), 'once upon a time\n');
    await expect(evaluateHere(small('garbage'))).rejects.toMatchObject({
      code: 'INVALID_SETTINGS',
      message: expect.stringContaining('once upon a time'),
    });
  });
});
