import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import {
  bytesWithGradients,
  bytesWithTensors,
  mapBatch,
  mapGradients,
  mapTensors,
  partOf,
} from '../../../src/engine/parallel/layout.ts';
import { createSharedFile, mapShared, pageBytes } from '../../../src/engine/parallel/shared-memory.ts';

const layout = {
  spec: { architecture: 'A', width: 1 / 16, fc: 8, classes: 5, crop: 32, head: 'classes' },
  microBatch: 6,
} as const;

describe('shared memory', () => {
  it('is seen by a child that inherits it, at the same place, and has no name', () => {
    const names = (): string[] => [...readdirSync('/dev/shm'), ...readdirSync(tmpdir())];
    const before = new Set(process.platform === 'linux' ? names() : []);
    const file = createSharedFile();
    file.resize(2 * pageBytes);
    const numbers = new Float32Array(mapShared(file.descriptor, pageBytes, 8));
    numbers[1] = 1.5;
    const script = `
      const { readSync, writeSync } = require('node:fs');
      const bytes = new Float32Array(2);
      readSync(4, bytes, 0, 8, ${pageBytes});
      bytes[0] = 2 * bytes[1];
      writeSync(4, bytes, 0, 8, ${pageBytes});`;
    const stdio = ['ignore', 'inherit', 'inherit', 'ignore', file.descriptor] as const;
    expect(spawnSync(process.execPath, ['-e', script], { stdio: [...stdio] }).status).toBe(0);
    expect([...numbers]).toEqual([3, 1.5]);
    if (process.platform === 'linux') {
      // Other tests make folders of names that begin so.
      const isOwn = (name: string): boolean =>
        name === 'verydeep' || name.startsWith(`verydeep-${process.pid}-`);
      expect(names().filter((name) => !before.has(name) && isOwn(name))).toEqual([]);
    }
    file.close();
    expect(numbers[0]).toBe(3); // what is mapped stays
  });

  it('refuses what cannot be mapped', () => {
    expect(() => mapShared(12_345, 0, pageBytes)).toThrow(
      expect.objectContaining({ code: 'DEVICE_UNAVAILABLE' }),
    );
  });

  it.runIf(process.platform === 'linux')('is unmapped when nothing shows it any more', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const mappings = (): number => readFileSync('/proc/self/maps', 'utf8').split('memfd:verydeep').length - 1;
    const before = mappings();
    const file = createSharedFile();
    file.resize(pageBytes);
    const kept = new Uint8Array(mapShared(file.descriptor, 0, 16));
    for (let i = 0; i < 20; i++) new Uint8Array(mapShared(file.descriptor, 0, 16))[0] = i;
    file.close();
    expect(mappings()).toBe(before + 21);
    await vi.waitUntil(() => {
      collect();
      return mappings() <= before + 1;
    });
    expect(kept[0]).toBe(19);
  });
});

describe('the layout of shared memory', () => {
  it('keeps batch, tensors and gradients apart, and shows every process the same', () => {
    const file = createSharedFile();
    const [workers, length] = [3, 20_000];
    file.resize(Math.max(bytesWithTensors(layout), bytesWithGradients(layout, workers, length)));
    const arrays = (): (Uint8Array | Float32Array | Int32Array)[] => {
      const batch = mapBatch(file.descriptor, layout);
      return [batch.pixels, batch.labels, batch.colourShift, batch.boxes, ...batch.dropout];
    };
    const tensors = (): Float32Array[] =>
      (['weights', 'velocity'] as const).flatMap((which) =>
        [...mapTensors(file.descriptor, layout, which).values()].map(({ data }) => data),
      );
    const rows = (): Float32Array[] => mapGradients(file.descriptor, layout, workers, length);

    for (const others of [tensors, rows]) {
      const written = [...arrays(), ...others()];
      written.forEach((array, i) => {
        array.fill(i + 1);
      });
      [...arrays(), ...others()].forEach((array, i) => {
        expect(array.length).toBe(written[i]!.length);
        expect(array.every((value) => value === i + 1)).toBe(true);
      });
    }
    file.close();
  });

  it('divides a micro-batch into the pictures of each worker', () => {
    const file = createSharedFile();
    file.resize(bytesWithTensors(layout));
    const batch = mapBatch(file.descriptor, layout);
    batch.labels.set([0, 1, 2, 3, 4, 5]);
    batch.boxes.forEach((_, i) => {
      batch.boxes[i] = Math.floor(i / 4);
    });
    batch.pixels.forEach((_, i) => {
      batch.pixels[i] = Math.floor(i / (32 * 32 * 3));
    });
    const part = partOf(batch, 1, 3);
    expect([...part.labels]).toEqual([2, 3]);
    expect([...part.boxes]).toEqual([2, 2, 2, 2, 3, 3, 3, 3]);
    expect([part.pixels[0], part.pixels.at(-1)]).toEqual([2, 3]);
    expect(part.dropout[1].length).toBe(2 * 8);
    file.close();
  });
});
