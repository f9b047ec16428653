import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ensemble, EnsembleNetwork } from '../../src/ensembles/ensemble.ts';
import { chooseOptions, type Plan, planImage } from '../../src/inference/jitter-plan.ts';
import { networkId } from '../../src/inference/network-sources.ts';
import { type InferenceOptions, readImageOptions } from '../../src/inference/options.ts';
import type { Head } from '../../src/network/architecture.ts';
import { forwardFlops } from '../../src/network/measures.ts';

const network = (name: string, head: Head = 'classes'): EnsembleNetwork => ({
  name,
  spec: { architecture: 'A', width: 1 / 64, fc: 4, classes: 3, crop: 64, head },
  preprocessing: { channelOrder: 'rgb', scale: 1, mean: [124, 117, 104], std: [1, 1, 1] },
  trainingScale: { min: 64, max: 128 },
  path: `/${name}.safetensors`,
});
const [d, e, boxes] = [network('d'), network('e'), network('boxes', 'scr')] as const;
const ensemble: Ensemble = {
  name: 'demo',
  version: '3',
  digest: 'sha256:0',
  labels: ['a', 'b', 'c'],
  classifiers: [d, e],
  localisers: [boxes],
  crop: 64,
  scales: [64, 96, 128],
};
const options = readImageOptions('classify', {});
const image = { width: 200, height: 100 };

const planOf = (asked: InferenceOptions, size = image, of = ensemble): Plan =>
  planImage(of, chooseOptions(of, asked), size);

describe('a jitter plan', () => {
  it('has one dense picture at each of the ensemble’s scales', () => {
    const { scales, summary } = planOf(options);
    expect(scales.map(({ scale, width, height }) => [scale, width, height])).toEqual([
      [64, 128, 64],
      [96, 192, 96],
      [128, 256, 128],
    ]);
    expect(scales.flatMap(({ tasks }) => tasks)).toMatchObject([
      { view: 'dense', count: 1, width: 128, height: 64, flip: true, maps: false },
      { view: 'dense', count: 1, width: 192, height: 96 },
      { view: 'dense', count: 1, width: 256, height: 128 },
    ]);
    expect(summary).toEqual({ scales: [64, 96, 128], flip: true, view: 'dense', networks: ['d', 'e'] });
  });

  it('counts its work in floating-point operations', () => {
    const flops = forwardFlops(d.spec, 96, 192);
    const work = (changes: Partial<InferenceOptions>): number =>
      planOf({ ...options, scales: [96], networks: ['d'], flip: false, ...changes }).work;
    expect(work({})).toBe(flops);
    expect(work({ flip: true })).toBe(2 * flops);
    expect(work({ networks: ['d', 'e'] })).toBe(2 * flops);
    expect(work({ view: 'crops' })).toBe(25 * forwardFlops(d.spec, 64, 64));
    expect(work({ view: 'both' })).toBe(flops + 25 * forwardFlops(d.spec, 64, 64));
  });

  it('has a 5 x 5 grid of crops of every scale, and score maps only of dense pictures', () => {
    const { scales } = planOf({ ...options, view: 'both', maps: true });
    for (const { tasks } of scales) {
      expect(tasks).toMatchObject([
        { view: 'dense', count: 1, maps: true },
        { view: 'crops', count: 25, width: 64, height: 64, maps: false },
      ]);
    }
  });

  it('takes localisation networks, and score maps for their windows, to localise', () => {
    const { scales, summary } = planOf({ ...options, task: 'localise' });
    expect(scales[0]!.tasks).toMatchObject([
      {
        maps: true,
        networks: [
          { id: 'demo/3/d', head: 'classes' },
          { id: 'demo/3/e', head: 'classes' },
          { id: 'demo/3/boxes', head: 'scr' },
        ],
      },
    ]);
    expect(summary.networks).toEqual(['d', 'e', 'boxes']);
    expect(networkId(ensemble, boxes)).toBe('demo/3/boxes');
  });

  it('of one choice of networks makes the same batches in whichever order they are named', () => {
    const plan = (networks: string[]) => planOf({ ...options, networks });
    expect(plan(['e', 'd'])).toEqual(plan(['d', 'e']));
  });

  it('covers the crop at every scale, whatever the image', () => {
    const side = fc.integer({ min: 1, max: 100_000 });
    fc.assert(
      fc.property(side, side, (width, height) => {
        for (const { tasks } of planOf({ ...options, view: 'both' }, { width, height }).scales) {
          for (const task of tasks) {
            expect(Math.min(task.width, task.height)).toBeGreaterThanOrEqual(64);
            expect(task.work).toBeGreaterThan(0);
          }
        }
      }),
    );
  });

  it.each<[Partial<InferenceOptions>, string]>([
    [{ view: 'crops', maps: true }, 'view: expected dense or both when maps are asked for; received crops'],
    [{ scales: [63] }, 'scales: expected integers from 64 (the crop) to 192; received 63'],
    [{ scales: [193] }, 'scales: expected integers from 64 (the crop) to 192; received 193'],
    [{ scales: [96, 96] }, 'scales: expected different ones; received 96 twice'],
    [{ networks: ['d', 'f'] }, 'networks: expected some of d, e; received "f"'],
    [{ networks: ['boxes'] }, 'networks: expected some of d, e; received "boxes"'],
    [{ networks: ['d', 'e', 'd'] }, 'networks: expected different ones; received d twice'],
  ])('is refused with %j', (changes, message) => {
    expect(() => planOf({ ...options, ...changes })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
    );
  });

  it('is refused when there is nothing to localise with', () => {
    const without = { ...ensemble, localisers: [] };
    expect(() => planOf({ ...options, task: 'localise' }, image, without)).toThrow(
      'task: expected classify, as demo has no localisation network; received localise',
    );
  });
});
