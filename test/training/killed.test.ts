import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';
import { digestIn, trainUntil, unfinishedIn } from './killed-training.ts';
import { writeColourDataset } from './pictures.ts';

const folder = temporaryFolder();
beforeAll(() => {
  writeColourDataset(join(folder, 'data'));
});

const outOf = (name: string): string => join(folder, name);

/** Five epochs of four steps; every step and every checkpoint changes files in the folder, some 60 times in all. */
const program = (seed: number): string[] => [
  ...['--import', 'tsx', fileURLToPath(new URL('../../src/main.ts', import.meta.url)), 'train'],
  ...['--data', join(folder, 'data'), '--architecture', 'A', '--width', '0.015625', '--fc', '8'],
  ...['--crop', '32', '--scale', '32-36', '--batch', '6', '--epochs', '5', '--initialise', 'he'],
  ...['--engine', 'onnx', '--threads', '1', '--seed', `${seed}`],
];

describe('a training in a process of its own', () => {
  it('ends in one digest twice, and where it was killed several times', { timeout: 300_000 }, async () => {
    await trainUntil(program(1), outOf('whole'));
    await trainUntil(program(1), outOf('again'));
    const digest = await digestIn(outOf('whole'));
    expect(digest).toMatch(/^sha256:/);
    expect(await digestIn(outOf('again'))).toBe(digest);

    const moments = fc.uniqueArray(fc.integer({ min: 2, max: 25 }), { minLength: 3, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(moments, async (changesBeforeKill) => {
        const out = outOf('killed');
        let known: string | undefined;
        for (const last of changesBeforeKill) {
          let changes = 0;
          expect(await trainUntil(program(1), out, () => ++changes === last)).toBe('killed');
          const kept = await digestIn(out); // throws where it is not whole
          if (known !== undefined) expect(kept).toBeDefined();
          known = kept;
        }
        await trainUntil(program(1), out);
        expect(await digestIn(out)).toBe(digest);
        expect(unfinishedIn(out)).toEqual([]);
      }),
      { numRuns: 1, endOnFailure: true },
    );
  });
});
