import { describe, expect, it } from 'vitest';
import {
  type ArchitectureName,
  architectureNames,
  type NetworkSpec,
} from '../../src/network/architecture.ts';
import { layersOf, tensorsOf, weightLayersOf } from '../../src/network/layers.ts';
import { forwardFlops, parameterCount, receptiveField, scoreMapSize } from '../../src/network/measures.ts';

const full = (architecture: ArchitectureName): NetworkSpec => ({
  architecture,
  width: 1,
  fc: 4096,
  classes: 1000,
  crop: 224,
  head: 'classes',
});

describe('the networks of Table 1', () => {
  it.each([
    ['A', 11, 132_863_336],
    ['B', 13, 133_047_848],
    ['C', 16, 133_638_952],
    ['D', 16, 138_357_544],
    ['E', 19, 143_667_240],
  ] as const)('%s has %i weight layers and %i parameters', (name, depth, parameters) => {
    expect(weightLayersOf(full(name))).toHaveLength(depth);
    expect(parameterCount(full(name))).toBe(parameters);
  });

  it('agree with torchvision in the names of their tensors', () => {
    const names = tensorsOf(full('D')).map(({ name }) => name);
    expect(names.slice(0, 4)).toEqual([
      'features.0.weight',
      'features.0.bias',
      'features.2.weight',
      'features.2.bias',
    ]);
    expect(names).toContain('features.28.weight'); // torchvision's last convolution of vgg16
    expect(names.slice(-2)).toEqual(['classifier.6.weight', 'classifier.6.bias']);
    expect(tensorsOf(full('E')).map(({ name }) => name)).toContain('features.34.weight');
  });

  it('have five pools, and 1x1 convolutions in C alone', () => {
    for (const name of architectureNames) {
      const layers = layersOf(full(name));
      expect(layers.filter((layer) => layer.kind === 'pool')).toHaveLength(5);
      const ones = layers.filter((layer) => layer.kind === 'convolution' && layer.kernel === 1);
      expect(ones).toHaveLength(name === 'C' ? 3 : 0);
    }
  });

  it('scale by their knobs: channels rounded, never none, and boxes for heads', () => {
    const narrow: NetworkSpec = {
      architecture: 'D',
      width: 1 / 16,
      fc: 32,
      classes: 10,
      crop: 64,
      head: 'classes',
    };
    expect(parameterCount(narrow)).toBe(63_342); // PyTorch's count of the reference network d-tiny
    const [first] = weightLayersOf({ ...narrow, width: 0.001 });
    expect(first?.outputs).toBe(1);
    expect(weightLayersOf({ ...narrow, head: 'scr' }).at(-1)?.outputs).toBe(4);
    expect(weightLayersOf({ ...narrow, head: 'pcr' }).at(-1)?.outputs).toBe(40);
  });
});

describe('measures', () => {
  it('count 30.9 GFLOP for D on one crop: 15.47 G multiply-adds, the figure published for VGG-16', () => {
    expect(forwardFlops(full('D'), 224, 224) / 2 / 1e9).toBeCloseTo(15.47, 2);
    expect(forwardFlops(full('E'), 224, 224) / 2 / 1e9).toBeCloseTo(19.63, 2);
  });

  it('give the dense view one position at the crop and one more every 32 pixels', () => {
    expect(scoreMapSize(full('D'), 224, 224)).toEqual([1, 1]);
    expect(scoreMapSize(full('D'), 255, 256)).toEqual([1, 2]);
    expect(scoreMapSize(full('D'), 384, 512)).toEqual([6, 10]);
    expect(scoreMapSize(full('D'), 100, 512)).toEqual([0, 10]);
  });

  it('know the receptive field: 5 and 7 for two and three 3x3 (paper, 2.3), 212 for vgg16 before the classifier', () => {
    expect(receptiveField(full('A'))).toBe(150);
    expect(receptiveField(full('D'))).toBe(212);
    expect(receptiveField(full('E'))).toBe(268);
  });
});
