import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkDataset } from '../../src/training/check-dataset.ts';
import { writeColourDataset } from './pictures.ts';

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'verydeep-'));
  writeColourDataset(data);
});
afterEach(() => rmSync(data, { recursive: true }));

const check = () => checkDataset({ data, limits: { maxFileBytes: 1e6, maxPixels: 1e6 } });

it('counts what a training would find', async () => {
  const { train, validation, shared } = await check();
  expect(train.images).toBe(24);
  expect(validation.images).toBe(12);
  expect(train.boxes).toBeGreaterThan(0);
  expect(train.classes).toEqual(['blue', 'green', 'red'].map((label) => ({ label, images: 8 })));
  expect([train.broken, train.duplicates, train.notes, shared]).toEqual([[], [], [], []]);
});

it('names broken images, copies, contradictions, and images of both splits', async () => {
  const at = (name: string): string => join(data, name);
  writeFileSync(at('train/red/phone.heic'), 'x');
  copyFileSync(at('train/red/0.tiff'), at('train/red/copy.tiff'));
  copyFileSync(at('train/green/0.tiff'), at('train/blue/other.tiff'));
  copyFileSync(at('val/green/1.tiff'), at('train/green/seen.tiff'));
  const { train, shared } = await check();
  expect(train.broken).toEqual([expect.stringMatching(/phone.heic: expected a JPEG/)]);
  expect(train.duplicates).toEqual([
    { names: ['blue/other.tiff', 'green/0.tiff'], contradicts: true },
    { names: ['red/0.tiff', 'red/copy.tiff'], contradicts: false },
  ]);
  expect(shared).toEqual([{ train: 'green/seen.tiff', validation: 'green/1.tiff' }]);
});
