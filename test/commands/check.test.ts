import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeColourDataset } from '../training/pictures.ts';
import { verydeep } from './verydeep.ts';

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'verydeep-'));
  writeColourDataset(data);
});
afterEach(() => rmSync(data, { recursive: true }));

it('prints counts, and what is worth a look', async () => {
  const clean = await verydeep('check', data);
  expect(clean).toMatchObject({ code: 0 });
  expect(clean.stdout).toMatch(/^train: 24 images of 3 classes \(8 to 8 a class, median 8\)/);
  writeFileSync(join(data, 'train/red/phone.heic'), 'x');
  const found = await verydeep('check', data);
  expect(found.code).toBe(1);
  expect(found.stdout).toMatch(/train: broken: .*phone.heic: expected a JPEG/);
  const report = JSON.parse((await verydeep('check', data, '--json')).stdout);
  expect(report.train.broken).toHaveLength(1);
  expect((await verydeep('check')).code).toBe(2);
});
