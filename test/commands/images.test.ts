import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../src/formats/safetensors/read.ts';
import { copyOfWeights } from '../../src/network/weights.ts';
import { tinyLabels, writeTinyEnsemble } from '../ensembles/tiny.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { verydeep } from './verydeep.ts';

const folder = temporaryFolder();

/** Runs a command on the tiny ensemble, with the reference engine. */
function verydeepTiny(command: string, ...argv: string[]) {
  const options = ['--weights', join(folder, 'weights'), '--ensemble', 'tiny', '--engine', 'reference'];
  return verydeep(command, ...argv, ...options);
}

const jsonLines = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  await writeTinyEnsemble(join(folder, 'weights'));
  const picture = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: { r: 200, g: 80, b: 30 } } });
  await picture(48, 40).jpeg().toFile(join(folder, '1.jpg'));
  await writeFile(join(folder, '2.png'), 'not a picture');
  await picture(40, 64).png().toFile(join(folder, '3.png'));
});

describe('verydeep classify', () => {
  it('answers one line of JSON for each file of a folder, errors in their place', async () => {
    const { code, stdout } = await verydeepTiny('classify', folder, '--json', '--top', '3');
    expect(code).toBe(1);
    const [first, second, third, ...others] = jsonLines(stdout);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ name: join(folder, '1.jpg'), width: 48, height: 40 });
    expect(second).toEqual({
      name: join(folder, '2.png'),
      error: { code: 'UNSUPPORTED_IMAGE', message: expect.any(String) },
    });
    expect(third).toMatchObject({ name: join(folder, '3.png'), width: 40, height: 64 });
    for (const { classes } of [first, third]) {
      const probabilities = classes.map((entry: { probability: number }) => entry.probability);
      expect(probabilities).toHaveLength(3);
      expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a));
      expect(tinyLabels).toContain(classes[0].label);
    }
  });

  it('prints a table', async () => {
    const { code, stdout } = await verydeepTiny('classify', folder, '--top', '1');
    expect(code).toBe(1);
    const [header, first, second, third] = stdout.split('\n');
    expect(header).toMatch(/FILE +CLASS +PROBABILITY/);
    expect(first).toMatch(/1\.jpg +(ant|bee|cat|dog|emu) +\d+\.\d %$/);
    expect(second).toMatch(/2\.png +UNSUPPORTED_IMAGE: /);
    expect(third).toMatch(/3\.png +(ant|bee|cat|dog|emu) /);
  });

  it('answers a missing file in its row', async () => {
    const { code, stdout, stderr } = await verydeepTiny('classify', '/nowhere.jpg', '--json');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(jsonLines(stdout)).toEqual([
      { name: '/nowhere.jpg', error: { code: 'NOT_FOUND', message: expect.stringContaining('ENOENT') } },
    ]);
  });

  it('takes an option that the ensemble does not know as wrong use', async () => {
    const { code, stderr } = await verydeepTiny('classify', join(folder, '1.jpg'), '--networks', 'z');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^verydeep classify: .*z.*\nSee: verydeep classify --help\n$/);
  });
});

describe('verydeep localise', () => {
  it('answers boxes inside the picture', async () => {
    const { code, stdout, stderr } = await verydeepTiny(
      'localise',
      join(folder, '1.jpg'),
      '--json',
      '--top',
      '2',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [{ detections }] = jsonLines(stdout);
    expect(detections).toHaveLength(2);
    for (const { label, box } of detections) {
      expect(tinyLabels).toContain(label);
      expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
      expect(Math.min(box.width, box.height)).toBeGreaterThan(0);
      expect(box.x + box.width).toBeLessThanOrEqual(48 + 1e-6);
      expect(box.y + box.height).toBeLessThanOrEqual(40 + 1e-6);
    }
  });
});

describe('verydeep features', () => {
  const names = () => [join(folder, '1.jpg'), join(folder, '3.png')];

  it('writes a tensor a network with the names, and lists what cannot be read', async () => {
    const out = join(folder, 'features.safetensors');
    const { code, stdout, stderr } = await verydeepTiny('features', folder, '--out', out);
    expect({ code, stdout }).toEqual({ code: 1, stdout: `${out}: 2 pictures, 4 of a, 4 of b\n` });
    expect(stderr).toMatch(/2\.png: /);
    const { tensors, metadata } = openSafetensors(out);
    expect(JSON.parse(metadata.names!)).toEqual(names());
    expect([...tensors].map(([network, { shape }]) => [network, shape])).toEqual([
      ['a', [2, 4]],
      ['b', [2, 4]],
    ]);
  });

  it('writes one matrix, networks side by side, of the same numbers', async () => {
    const out = join(folder, 'features.npy');
    await verydeepTiny('features', ...names(), '--out', join(folder, 'same.safetensors'));
    const { code } = await verydeepTiny('features', ...names(), '--out', out);
    expect(code).toBe(0);
    expect(JSON.parse(await readFile(join(folder, 'features.json'), 'utf8'))).toMatchObject({
      ensemble: 'tiny',
      names: names(),
      networks: [
        { network: 'a', fc: 4 },
        { network: 'b', fc: 4 },
      ],
    });
    const matrix = new Float32Array((await readFile(out)).buffer.slice(-2 * 8 * 4));
    expect(Math.hypot(...matrix)).toBeCloseTo(2); // two pictures, two networks, each of length one
    const same = copyOfWeights(openSafetensors(join(folder, 'same.safetensors')).tensors);
    for (const [at, network] of ['a', 'b'].entries()) {
      const rows = same.get(network)!.data;
      for (const picture of [0, 1]) {
        const own = matrix.subarray(picture * 8 + at * 4, picture * 8 + at * 4 + 4);
        expect([...own]).toEqual([...rows.subarray(picture * 4, picture * 4 + 4)]);
      }
    }
  });

  it('writes nothing where there is no picture to describe', async () => {
    const out = join(folder, 'none.npy');
    const { code, stderr } = await verydeepTiny('features', join(folder, 'nowhere.jpg'), '--out', out);
    expect(code).toBe(1);
    expect(stderr).toMatch(/expected images that can be read, received .*nowhere\.jpg \(NO_IMAGE\)/);
    await expect(readFile(out)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('wants a file to write to', async () => {
    const { code, stderr } = await verydeepTiny('features', folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--out: expected a file that ends in \.safetensors or \.npy; received nothing/);
  });
});
