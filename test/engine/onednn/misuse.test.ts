import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Batch, Engine, NetworkSource } from '../../../src/engine/engine.ts';
import { createOnednnEngine } from '../../../src/engine/onednn/engine.ts';
import { findOnednnLibrary } from '../../../src/engine/onednn/library/find.ts';
import { loadOnednn, type Onednn } from '../../../src/engine/onednn/library/library.ts';
import { convolutionForward } from '../../../src/engine/onednn/primitives/convolution.ts';
import { reorder } from '../../../src/engine/onednn/primitives/elementwise.ts';
import { innerProductForward } from '../../../src/engine/onednn/primitives/inner-product.ts';
import { createStep } from '../../../src/engine/onednn/primitives/primitives.ts';
import { createScope, type Layout, type Scope } from '../../../src/engine/onednn/primitives/scope.ts';
import { createBlockScope } from '../../../src/engine/onednn/primitives/shared-block.ts';
import { VerydeepError } from '../../../src/errors.ts';
import type { ForwardSpec } from '../../../src/network/architecture.ts';
import { hashedWeights } from '../../network/hashed.ts';
import { referencePreprocessing } from '../reference-values.ts';
import { describeOnednn } from './library.ts';

// A mistake across the border of native code ends the process, and with it this file: everything here ends in a coded error.

const tiny = { architecture: 'A', width: 1 / 16, fc: 8, classes: 3, crop: 32, head: 'classes' } as const;
const failed = { code: 'ENGINE_FAILED' };

describeOnednn('oneDNN engine, misused', () => {
  let engine: Engine;
  const source = (spec: ForwardSpec): NetworkSource => ({
    id: 'tiny',
    spec,
    weights: hashedWeights(tiny, 1),
    preprocessing: referencePreprocessing,
  });
  const good: Batch = {
    networks: ['tiny'],
    pixels: new Uint8Array(32 * 40 * 3).map((_, i) => (i * 37) % 256),
    ...{ count: 1, height: 32, width: 40, flip: true, maps: true },
  };
  beforeAll(async () => {
    engine = await createOnednnEngine({ threads: 1, precision: 'fp32' });
    await engine.load(source(tiny));
  });
  afterAll(() => engine.dispose());

  it('refuses batches whose sizes are not those of their pixels, and goes on', async () => {
    const expected = await engine.run(good);
    const size = fc.oneof(
      fc.integer({ min: -2, max: 80 }),
      fc.double({ min: 0, max: 80 }),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 53, 1.5, 0.5),
    );
    const property = fc.asyncProperty(
      size,
      size,
      size,
      fc.nat(20_000),
      async (count, height, width, length) => {
        const isRight =
          [count, height, width].every(Number.isSafeInteger) && count * height * width * 3 === length;
        fc.pre(!isRight);
        const batch = { ...good, count, height, width, pixels: new Uint8Array(length) };
        await expect(engine.run(batch)).rejects.toMatchObject(failed);
      },
    );
    await fc.assert(property, { numRuns: 200, seed: 1 });
    for (const exact of [
      { ...good, count: 0.5, height: 64 },
      { ...good, count: 2, height: 16 },
      { ...good, height: 40.5, pixels: new Uint8Array(40.5 * 40 * 3) },
    ]) {
      await expect(engine.run(exact)).rejects.toMatchObject(failed);
    }
    expect(await engine.run(good)).toEqual(expected);
  });

  it('refuses networks that cannot be, with weights of another one or of their own, and keeps what it has', async () => {
    const expected = await engine.run(good);
    const wrong: Partial<ForwardSpec>[] = [
      ...[0, -32, 16, 33, 64, Number.NaN, 1e9].map((crop) => ({ crop })),
      ...[0, -1, 1, 1e6, Number.NaN].map((width) => ({ width })),
      ...[0, -8, 1.5, 9, Number.NaN].flatMap((count) => [{ fc: count }, { classes: count }]),
      { head: 'pcr' },
      { architecture: 'E' },
    ];
    for (const change of wrong) {
      const spec = { ...tiny, ...change };
      await expect(engine.load(source(spec)), JSON.stringify(change)).rejects.toBeInstanceOf(VerydeepError);
    }
    for (const change of [{ fc: 0 }, { classes: 0 }, { crop: 0 }]) {
      const spec = { ...tiny, ...change };
      const refused = engine.load({ ...source(spec), weights: hashedWeights(spec, 1) });
      await expect(refused, JSON.stringify(change)).rejects.toMatchObject(failed);
    }
    expect(await engine.run(good)).toEqual(expected);
  });

  it('refuses to run once it is disposed of, as often as that is', async () => {
    const gone = await createOnednnEngine({ threads: 1, precision: 'fp32' });
    await gone.load(source(tiny));
    await gone.run(good);
    await gone.dispose();
    await gone.dispose();
    await expect(gone.run(good)).rejects.toMatchObject(failed);
  });
});

describeOnednn('native objects of oneDNN', () => {
  let onednn: Onednn;
  beforeAll(async () => {
    onednn = await loadOnednn();
  });

  it('throw once they are freed, whatever is done with them', () => {
    const alive = createScope(onednn);
    const use = (of: Scope): (() => unknown)[] => {
      const maps = of.desc([1, 16, 4, 4], 'f32', 'channelsLast');
      const weights = of.desc([16, 16, 3, 3], 'f32', 'any');
      const bias = of.desc([16], 'f32', 'rowMajor');
      const plan = convolutionForward(
        of,
        { source: maps, weights, bias, destination: maps, padding: 1 },
        'inference',
        true,
      );
      const memory = of.memory(maps);
      const other = alive.memory(alive.desc([1, 16, 4, 4], 'f32', 'channelsLast'));
      const step = createStep('convolution', plan, {
        source: memory,
        weights: of.memory(plan.desc('weights')),
        bias: of.memory(bias),
        destination: of.memory(maps),
      });
      const copy = reorder(alive, 'copy', memory, other);
      return [
        step.run,
        copy.run,
        () => of.desc([1], 'f32', 'rowMajor'),
        () => of.allocate(64),
        () => of.memory(maps),
        () => alive.memory(maps),
        () => alive.clone(maps),
        () => plan.desc('source'),
        () => createStep('again', plan, { source: memory }),
        () => reorder(alive, 'copy', memory, other),
        () =>
          convolutionForward(
            alive,
            { source: maps, weights, bias, destination: maps, padding: 1 },
            'inference',
            true,
          ),
      ];
    };
    const scope = createScope(onednn);
    const calls = use(scope);
    scope.dispose();
    scope.dispose();
    for (const call of calls) expect(call).toThrow(expect.objectContaining(failed));
    alive.dispose();
  });

  it('throw if a memory is not what a primitive expects, or an array not what its memory is', () => {
    const scope = createScope(onednn);
    const row = scope.desc([1, 16], 'f32', 'rowMajor');
    const bias = scope.desc([16], 'f32', 'rowMajor');
    const weights = scope.desc([16, 16], 'f32', 'rowMajor');
    const plan = innerProductForward(
      scope,
      { source: row, weights, bias, destination: row },
      'inference',
      false,
    );
    const other = scope.memory(scope.desc([2, 16], 'f32', 'rowMajor'));
    const step = () => createStep('inner product', plan, { source: other });
    expect(step).toThrow(expect.objectContaining(failed));
    const short = () => scope.share(row, new Float32Array(15));
    expect(short).toThrow(expect.objectContaining(failed));
    const unbound = createBlockScope(onednn);
    const memory = unbound.memory(unbound.desc([4], 'f32', 'rowMajor'));
    const view = () => unbound.view(memory, (buffer) => new Float32Array(buffer));
    expect(view).toThrow(expect.objectContaining(failed));
    unbound.dispose();
    scope.dispose();
  });

  it('throw for descriptors that do not fit together, of any sizes', () => {
    const size = fc.oneof(
      fc.integer({ min: -1, max: 40 }),
      fc.constantFrom(0, 1.5, Number.NaN, 2 ** 31, 2 ** 53),
    );
    const dims = (rank: number) => fc.array(size, { minLength: rank, maxLength: rank });
    const layout = fc.constantFrom<Layout>('any', 'rowMajor', 'channelsLast');
    const property = fc.property(
      dims(4),
      dims(4),
      dims(4),
      layout,
      fc.nat(2),
      (source, kernel, target, as, padding) => {
        const scope = createScope(onednn);
        try {
          const descs = {
            source: scope.desc(source, 'f32', as),
            weights: scope.desc(kernel, 'f32', 'any'),
            bias: scope.desc([16], 'f32', 'rowMajor'),
            destination: scope.desc(target, 'f32', as),
            padding,
          };
          convolutionForward(scope, descs, 'inference', true);
        } catch (error) {
          expect(error).toMatchObject(failed);
        } finally {
          scope.dispose();
        }
      },
    );
    fc.assert(property, { numRuns: 500, seed: 2 });
  });
});

describe('a library that is not oneDNN 3', () => {
  const folder = mkdtempSync(join(tmpdir(), 'verydeep-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const engineOf = async (libraryPath: string): Promise<unknown> => {
    try {
      await createOnednnEngine({ threads: 1, precision: 'fp32', libraryPath });
      return 'an engine';
    } catch (error) {
      return error;
    }
  };
  const file = (name: string, bytes: string | Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };

  it.each([
    ['that is not there', () => join(folder, 'nothing.so')],
    ['that is empty', () => file('empty.so', '')],
    ['that is a text, by the name of oneDNN 2', () => file('libdnnl.so.2', 'not a library')],
    ['that is a folder', () => mkdtempSync(join(folder, 'folder.so'))],
    ['that begins as one does', () => file('header.so', Buffer.from('\x7fELF\x02\x01\x01', 'latin1'))],
    ['that is another one, without its functions', anotherLibrary],
  ])('%s is refused', async (_, path) => {
    const error = await engineOf(path());
    expect(error).toBeInstanceOf(VerydeepError);
    expect(error).toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
  });

  it.skipIf(findOnednnLibrary() === undefined).each([64, 4096, 2 ** 20, 2 ** 24])(
    'of which only the first %i bytes are there is refused',
    async (bytes) => {
      const part = Buffer.alloc(bytes);
      const whole = openSync(findOnednnLibrary()!, 'r');
      readSync(whole, part);
      closeSync(whole);
      const error = await engineOf(file(`part-${bytes}.so`, part));
      expect(error).toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
    },
  );
});

/** A library of this process that has nothing of oneDNN. */
function anotherLibrary(): string {
  const report: { readonly sharedObjects?: readonly string[] } = process.report.getReport();
  const path = report.sharedObjects?.find((each) => /lib(m|c|System)[.-]/.test(each) && existsSync(each));
  if (path === undefined) throw new Error('expected a library of C in this process');
  return path;
}
