import { describe, expect, it } from 'vitest';
import { parseSettings, validationScale, writtenSettings } from '../../src/training/settings.ts';

describe('training settings', () => {
  it("are the paper's when nothing else is said", () => {
    expect(parseSettings({ data: 'photos' })).toMatchObject({
      architecture: 'D',
      width: 1,
      fc: 4096,
      crop: 224,
      scale: { min: 256, max: 256 },
      batch: 256,
      epochs: 74,
      rate: '0.01',
      initialise: 'he',
    });
  });

  it.each([
    [{}, 'data: expected a folder; received nothing'],
    [{ data: 'x', learningRate: 1 }, 'unknown setting "learningRate"; expected some of data, list,'],
    [{ data: 'x', crop: 100 }, 'crop: expected an integer from 32 to 1024, a multiple of 32; received 100'],
    [{ data: 'x', architecture: 'F' }, 'architecture: expected A, B, C, D, E; received "F"'],
    [{ data: 'x', batch: Number.NaN }, 'batch: expected an integer from 1 to 65536; received NaN'],
    [{ data: 'x', scale: '512-256' }, 'expected a side from 1 to 4096 in pixels, or a range of them'],
    [{ data: 'x', scale: '256-5000' }, 'scale: expected a side from 1 to 4096'],
    [{ data: 'x', scale: 0 }, 'scale: expected a side from 1 to 4096'],
    [{ data: 'x', scale: { min: 256, max: 256 } }, 'scale: expected a side from 1 to 4096'],
    [{ data: 'x', scale: 128 }, 'scale: expected at least the crop of 224; received 128'],
    [{ data: 'x', batch: 10, microBatch: 4 }, 'expected a divisor of the batch of 10; received 4'],
    [{ data: 'x', batch: 8, workers: 3 }, 'expected a divisor of the batch of 8; received 3'],
    [{ data: 'x', batch: 8, microBatch: 2, workers: 4 }, 'a divisor of the micro-batch of 2; received 4'],
    [{ data: 'x', head: 'scr' }, 'from: expected a trained classification network'],
    [{ data: 'x', trainable: 'fullyConnected' }, 'trainable: expected all without a network to start from'],
    [{ data: 'x', rate: 'fast' }, 'rate: expected a learning rate over 0 and below 10'],
    [{ data: 'x', rate: 10 }, 'rate: expected a learning rate over 0 and below 10'],
    [{ data: 'x', rate: '0.01,5:0.1,5:0.2' }, 'with rising epochs; received "0.01,5:0.1,5:0.2"'],
  ])('refuse %j', (input, reason) => {
    expect(() => parseSettings(input)).toThrow(
      expect.objectContaining({ code: 'INVALID_SETTINGS', message: expect.stringContaining(reason) }),
    );
  });

  it.each([
    [{ batch: 1_000_000 }, 'batch: expected an integer from 1 to 65536; received 1000000'],
    [{ batch: 8192 }, 'microBatch: expected at most 4096 pictures in one pass'],
    [{ microBatch: 8192, batch: 8192 }, 'microBatch: expected an integer from 1 to 4096; received 8192'],
    [{ fc: 1e9 }, 'fc: expected an integer from 1 to 16384; received 1000000000'],
    [{ crop: 1e6 }, 'crop: expected an integer from 32 to 1024, a multiple of 32; received 1000000'],
    [{ width: 5 }, 'width: expected a number over 0, at most 4; received 5'],
    [{ epochs: 1e6 }, 'epochs: expected an integer from 1 to 100000; received 1000000'],
    [{ workers: 257 }, 'workers: expected an integer from 1 to 256; received 257'],
    [{ cacheMb: -1 }, 'cacheMb: expected an integer from 0 to 1048576; received -1'],
  ])('refuse what no machine can do: %j', (input, reason) => {
    expect(() => parseSettings({ data: 'x', ...input })).toThrow(reason);
  });

  it('take what is at their limits', () => {
    const limits = { batch: 65_536, microBatch: 4096, fc: 16_384, crop: 1024, scale: '1024-4096', width: 4 };
    expect(parseSettings({ data: 'x', ...limits })).toMatchObject({ scale: { min: 1024, max: 4096 } });
    expect(parseSettings({ data: 'x', batch: 1, fc: 1, crop: 32, scale: 32, cacheMb: 0 })).toMatchObject({
      scale: { min: 32, max: 32 },
    });
  });

  it.each([
    { scale: 256, rate: 0.01 },
    { scale: '256-512', rate: '0.01,60:0.001' },
    { scale: 300, rate: 1e-7, microBatch: 32, from: 'runs/d', list: 'some.txt' },
  ])('are written as they are read: %j', (input) => {
    const settings = parseSettings({ data: 'x', ...input });
    expect(writtenSettings(settings)).toMatchObject(input);
    expect(parseSettings(writtenSettings(settings))).toEqual(settings);
    const texts = { scale: String(input.scale), rate: String(input.rate) };
    expect(parseSettings({ data: 'x', ...input, ...texts })).toEqual(settings);
  });

  it('validate at the middle of the scales', () => {
    expect(validationScale({ scale: { min: 256, max: 512 } })).toBe(384);
  });
});
