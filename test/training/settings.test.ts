import { describe, expect, it } from 'vitest';
import { parseSettings, validationScale } from '../../src/training/settings.ts';

describe('training settings', () => {
  it("are the paper's where nothing else is said", () => {
    expect(parseSettings({ data: 'photos' })).toMatchObject({
      architecture: 'D',
      width: 1,
      fc: 4096,
      crop: 224,
      scale: { min: 256, max: 256 },
      batch: 256,
      epochs: 74,
      rate: '0.01',
      initialise: 'gaussian',
    });
  });

  it.each([
    [{}, 'data'],
    [{ data: 'x', learningRate: 1 }, 'learningRate'],
    [{ data: 'x', crop: 100 }, 'crop'],
    [{ data: 'x', architecture: 'F' }, 'architecture'],
    [{ data: 'x', batch: Number.NaN }, 'batch'],
    [{ data: 'x', scale: { min: 512, max: 256 } }, 'expected MIN-MAX, received 512-256'],
    [{ data: 'x', scale: { min: 128, max: 256 } }, 'expected at least the crop of 224, received 128'],
    [{ data: 'x', batch: 10, microBatch: 4 }, 'expected a divisor of the batch of 10, received 4'],
    [{ data: 'x', batch: 8, workers: 3 }, 'expected a divisor of the batch of 8, received 3'],
    [{ data: 'x', batch: 8, microBatch: 2, workers: 4 }, 'a divisor of the micro-batch of 2, received 4'],
    [{ data: 'x', head: 'scr' }, 'from'],
    [{ data: 'x', trainable: 'fullyConnected' }, 'trainable'],
    [{ data: 'x', rate: 'fast' }, 'expected a learning rate'],
  ])('refuse %j', (input, reason) => {
    expect(() => parseSettings(input)).toThrow(
      expect.objectContaining({ code: 'INVALID_SETTINGS', message: expect.stringContaining(reason) }),
    );
  });

  it('validate at the middle of the scales', () => {
    expect(validationScale({ scale: { min: 256, max: 512 } })).toBe(384);
  });
});
