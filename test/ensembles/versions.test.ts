import { createHash } from 'node:crypto';
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listVersions, loadEnsemble } from '../../src/ensembles/load.ts';
import { checkManifest, defaultScales } from '../../src/ensembles/manifest.ts';
import { type NewNetwork, type NewVersion, writeEnsembleVersion } from '../../src/ensembles/write.ts';
import { openSafetensors } from '../../src/formats/safetensors/read.ts';
import { storedAs, type WeightSources } from '../../src/network/weights.ts';
import { hashedSources } from '../network/hashed.ts';

const tiny = { architecture: 'A', width: 1 / 64, fc: 4, classes: 2, crop: 64, head: 'classes' } as const;
const network = (name: string, head: 'classes' | 'scr' | 'pcr' = 'classes'): NewNetwork => ({
  ...tiny,
  name,
  head,
  preprocessing: { channelOrder: 'rgb', scale: 1, mean: [124, 117, 104], std: [1, 1, 1] },
  trainingScale: { min: 64, max: 128 },
  provenance: { command: 'verydeep train', dataset: 'drawn' },
  weights: storedAs(hashedSources({ ...tiny, head }, 1), 'F16'),
});
const version: NewVersion = {
  ensemble: 'demo',
  version: '1',
  labels: ['cat', 'dog'],
  networks: [network('d'), network('boxes', 'scr')],
};

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'verydeep-weights-'));
});
afterEach(() => rm(directory, { recursive: true }));

const manifestPath = (): string => join(directory, 'demo', '1', 'manifest.json');
const editManifest = async (edit: (manifest: Record<string, unknown>) => void): Promise<void> => {
  const manifest = JSON.parse(await readFile(manifestPath(), 'utf8'));
  edit(manifest);
  await writeFile(manifestPath(), JSON.stringify(manifest));
};

describe('an ensemble version', () => {
  it('is read as it was written', async () => {
    const folder = await writeEnsembleVersion(directory, version);
    const ensemble = await loadEnsemble(directory, 'demo');
    expect(ensemble).toMatchObject({
      name: 'demo',
      version: '1',
      labels: ['cat', 'dog'],
      crop: 64,
      scales: [64, 96, 128],
    });
    expect(ensemble.classifiers.map(({ name }) => name)).toEqual(['d']);
    expect(ensemble.localisers).toEqual([
      {
        name: 'boxes',
        spec: { ...tiny, head: 'scr' },
        preprocessing: network('boxes').preprocessing,
        trainingScale: { min: 64, max: 128 },
        path: join(folder, 'boxes.safetensors'),
      },
    ]);
    const hash = createHash('sha256')
      .update(await readFile(manifestPath()))
      .digest('hex');
    expect(ensemble.digest).toBe(`sha256:${hash}`);
    expect(await readdir(join(directory, 'demo'))).toEqual(['1']);
  });

  it('never changes', async () => {
    await writeEnsembleVersion(directory, version);
    await expect(writeEnsembleVersion(directory, version)).rejects.toMatchObject({ code: 'INVALID_WEIGHTS' });
  });

  it('is not there at all where its writing failed', async () => {
    const weights = new Map(network('e').weights as WeightSources);
    weights.set('classifier.6.bias', {
      ...weights.get('classifier.6.bias')!,
      parts() {
        throw new Error('disk gone');
      },
    });
    const broken = { ...network('e'), weights };
    const failed = writeEnsembleVersion(directory, { ...version, networks: [network('d'), broken] });
    await expect(failed).rejects.toThrow('disk gone');
    expect(await readdir(join(directory, 'demo'))).toEqual([]);
  });

  it('clears away what a killed writer left, once it is a day old', async () => {
    const left = ['.1.host.17.tmp', '.2.other.4.tmp'].map((name) => join(directory, 'demo', name));
    for (const folder of left) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'd.safetensors'), 'half');
    }
    const before = Date.now() / 1000 - 86_401;
    await utimes(left[0]!, before, before);
    await writeEnsembleVersion(directory, version);
    expect((await readdir(join(directory, 'demo'))).sort()).toEqual(['.2.other.4.tmp', '1']);
  });

  it('has every tensor of its networks', async () => {
    const wider = { ...network('d'), fc: 8 };
    await expect(writeEnsembleVersion(directory, { ...version, networks: [wider] })).rejects.toThrow(
      /d\.safetensors: expected tensor classifier\.0\.weight \[8, 32\]; received \[4, 32\]/,
    );
  });

  it('is the one with the highest number where the latest is asked for', async () => {
    for (const number of ['2', '10', '9'])
      await writeEnsembleVersion(directory, { ...version, version: number });
    await mkdir(join(directory, 'demo', '11.old'));
    expect(await listVersions(directory, 'demo')).toEqual(['2', '9', '10']);
    expect((await loadEnsemble(directory, 'demo')).version).toBe('10');
    expect((await loadEnsemble(directory, 'demo', '9')).version).toBe('9');
  });

  it('is refused where a file has changed', async () => {
    const path = join(await writeEnsembleVersion(directory, version), 'd.safetensors');
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    await expect(loadEnsemble(directory, 'demo')).rejects.toThrow(
      /d\.safetensors: expected sha256 [0-9a-f]{64}; received [0-9a-f]{64}/,
    );
    await appendFile(path, ' ');
    await expect(loadEnsemble(directory, 'demo')).rejects.toThrow('1 bytes after tensor classifier.6.bias');
  });

  it('is refused where a number is not finite, though the hash is that of the file', async () => {
    const path = join(await writeEnsembleVersion(directory, version), 'd.safetensors');
    const bytes = await readFile(path);
    bytes.set([0xff, 0x7f], openSafetensors(path).tensors.get('features.3.weight')!.offset);
    await writeFile(path, bytes);
    await editManifest(({ networks }) => {
      const [d] = networks as { sha256: string }[];
      d!.sha256 = createHash('sha256').update(bytes).digest('hex');
    });
    await expect(loadEnsemble(directory, 'demo')).rejects.toMatchObject({
      code: 'INVALID_WEIGHTS',
      message: expect.stringContaining('tensor features.3.weight has one that is infinite or not a number'),
    });
  });

  it.runIf(process.platform !== 'win32')('is refused where a file of it is a device', async () => {
    const folder = await writeEnsembleVersion(directory, version);
    for (const name of ['d.safetensors', 'manifest.json', '../labels.json']) {
      const path = join(folder, name);
      const before = await readFile(path).catch(() => undefined);
      await rm(path, { force: true });
      await symlink('/dev/zero', path);
      await expect(loadEnsemble(directory, 'demo')).rejects.toMatchObject({
        code: 'INVALID_WEIGHTS',
        message: expect.stringContaining('expected a regular file, received a device'),
      });
      await rm(path);
      if (before) await writeFile(path, before);
    }
  });

  it('takes files as they are: linked, of the same bytes, and checked', async () => {
    const folder = await writeEnsembleVersion(directory, version);
    const path = join(folder, 'd.safetensors');
    const { networks } = JSON.parse(await readFile(manifestPath(), 'utf8'));
    const { sha256 } = networks[0];
    const linked = { ...network('d'), weights: { path, sha256 } };
    const second = await writeEnsembleVersion(directory, { ...version, version: '2', networks: [linked] });
    expect((await stat(join(second, 'd.safetensors'))).ino).toBe((await stat(path)).ino);
    expect((await loadEnsemble(directory, 'demo', '2')).classifiers).toHaveLength(1);

    const wrong = { ...linked, weights: { path, sha256: '0'.repeat(64) } };
    const refused = writeEnsembleVersion(directory, { ...version, version: '3', networks: [wrong] });
    await expect(refused).rejects.toThrow(`expected sha256 ${'0'.repeat(64)}; received ${sha256}`);
    expect(await listVersions(directory, 'demo')).toEqual(['1', '2']);
  });

  it.each([
    ['nothing', 'expected a version of "nothing"'],
    ['../demo', 'expected the name of an ensemble'],
    ['', 'expected the name of an ensemble'],
  ])('of the ensemble "%s" is refused', async (name, message) => {
    await expect(loadEnsemble(directory, name)).rejects.toThrow(message);
  });

  it('is refused where it is not the one that its folder says', async () => {
    await writeEnsembleVersion(directory, version);
    await editManifest((manifest) => {
      manifest.version = '2';
    });
    await expect(loadEnsemble(directory, 'demo')).rejects.toThrow(
      'expected the manifest of demo version 1; received that of demo version 2',
    );
    await writeFile(manifestPath(), '{');
    await expect(loadEnsemble(directory, 'demo')).rejects.toMatchObject({ code: 'INVALID_WEIGHTS' });
  });
});

describe('a manifest', () => {
  const valid = {
    format: 1,
    ...version,
    networks: version.networks.map(({ weights: _, ...rest }) => ({
      ...rest,
      file: `${rest.name}.safetensors`,
      sha256: '0'.repeat(64),
    })),
  };
  const [d, boxes] = valid.networks;

  it('is accepted when it is right', () => {
    expect(checkManifest(valid, 'manifest.json')).toEqual(valid);
  });

  it.each<[string, unknown, string]>([
    ['is not an object', 7, 'expected an object; received 7'],
    ['has another format', { ...valid, format: 2 }, 'format: expected 1; received 2'],
    ['has an unknown key', { ...valid, lables: [] }, 'lables'],
    [
      'leaves its folder',
      { ...valid, networks: [{ ...d, file: '../d.safetensors' }] },
      'networks.0.file: expected',
    ],
    ['has a name twice', { ...valid, networks: [d, { ...d, file: 'e.safetensors' }] }, 'received "d" twice'],
    ['has a file twice', { ...valid, networks: [d, { ...d, name: 'e' }] }, 'received "d.safetensors" twice'],
    ['has a label twice', { ...valid, labels: ['cat', 'cat'] }, 'received "cat" twice'],
    [
      'has too few labels',
      { ...valid, labels: ['cat'] },
      'networks.0.classes: expected 1, one a label; received 2',
    ],
    ['mixes crops', { ...valid, networks: [d, { ...boxes, crop: 32 }] }, 'networks.1.crop: expected 64'],
    ['has no classifier', { ...valid, networks: [boxes] }, 'at least one network of head "classes"'],
    [
      'has a scale below the crop',
      { ...valid, scales: [32] },
      'scales: expected at least the crop of 64; received 32',
    ],
    [
      'has a training scale below the crop',
      { ...valid, networks: [{ ...d, trainingScale: { min: 32, max: 64 } }] },
      'expected at least the crop of 64; received 32',
    ],
  ])('is refused when it %s', (_, manifest, reason) => {
    expect(() => checkManifest(manifest, 'manifest.json')).toThrow(reason);
  });

  it('does not compare the classes of a box that all classes share', () => {
    expect(() => checkManifest({ ...valid, networks: [d, { ...boxes, classes: 4 }] }, 'm')).not.toThrow();
    expect(() =>
      checkManifest({ ...valid, networks: [d, { ...boxes, classes: 4, head: 'pcr' }] }, 'm'),
    ).toThrow();
  });
});

describe('the default test scales', () => {
  it.each([
    ['S - 32, S, S + 32 of a fixed S', [{ min: 256, max: 256 }], 224, [224, 256, 288]],
    ['smallest, middle and largest of a range', [{ min: 256, max: 512 }], 224, [256, 384, 512]],
    [
      'the range over all networks',
      [
        { min: 128, max: 160 },
        { min: 128, max: 192 },
      ],
      128,
      [128, 160, 192],
    ],
    ['never below the crop', [{ min: 240, max: 240 }], 224, [224, 240, 272]],
    ['each once', [{ min: 224, max: 224 }], 224, [224, 256]],
  ])('are %s', (_, trainingScales, crop, scales) => {
    expect(defaultScales(trainingScales, crop)).toEqual(scales);
  });
});
