import { rescaledSize, type Size } from '../../image/rescale.ts';
import { gridCount } from '../../inference/jitter-plan.ts';
import { forwardFlops } from '../../network/measures.ts';
import type { ComparedNetwork } from '../compared.ts';
import type { ClassificationPlan, LocalisationPlan } from '../comparisons.ts';

/** What networks look at: the whole picture at a scale, its grid of crops, or the crop in its middle. */
export type PassKind = 'dense' | 'crops' | 'centre';

/** Networks that look at the same pictures: one call of the engine. */
export interface Pass {
  readonly kind: PassKind;
  /** Smallest side Q in pixels. */
  readonly scale: number;
  /** Side of the crops; of `dense` undefined, since networks of any crop look at the whole picture. */
  readonly crop?: number;
  readonly flip: boolean;
  /** Score maps are needed: of windows, or of picture and mirror image apart. */
  readonly maps: boolean;
  readonly networks: readonly ComparedNetwork[];
}

/** Posteriors of one network at one scale, in its own order of classes; computed once for all rows. */
export type PosteriorsAt = (
  network: ComparedNetwork,
  kind: PassKind,
  scale: number,
  flip: boolean,
) => Float32Array;

/**
 * The passes that rows need, each once: a network sees each picture of an image once, and what it answers serves all
 * rows. A pass with mirror images serves rows without them too.
 */
export function passesOf(
  classification: readonly ClassificationPlan[],
  localisation: readonly LocalisationPlan[],
): Pass[] {
  const passes = new Map<string, { pass: Pass; networks: Set<ComparedNetwork> }>();
  const need = (network: ComparedNetwork, wanted: Omit<Pass, 'networks'>): void => {
    const key = `${wanted.kind} ${wanted.scale} ${wanted.crop ?? ''}`;
    const { pass = { ...wanted, networks: [] }, networks = new Set<ComparedNetwork>() } =
      passes.get(key) ?? {};
    const flip = pass.flip || wanted.flip;
    // Where rows disagree on the mirror image, both are told apart by their maps.
    const maps = pass.maps || wanted.maps || pass.flip !== wanted.flip;
    passes.set(key, { pass: { ...pass, flip, maps }, networks: networks.add(network) });
  };
  for (const { members, flip, view } of classification) {
    for (const { network, scales } of members) {
      const { crop } = network.source.spec;
      for (const scale of scales) {
        if (view !== 'crops') need(network, { kind: 'dense', scale, flip, maps: false });
        if (view !== 'dense') need(network, { kind: 'crops', scale, crop, flip, maps: false });
      }
    }
  }
  for (const { method, classifiers, localisers, scales, flip } of localisation) {
    for (const network of [...classifiers, ...localisers]) {
      const { crop } = network.source.spec;
      for (const scale of scales) {
        if (method === 'wholeImage') need(network, { kind: 'dense', scale, flip, maps: true });
        else need(network, { kind: 'centre', scale, crop, flip, maps: true });
      }
    }
  }
  return [...passes.values()].map(({ pass, networks }) => ({ ...pass, networks: [...networks] }));
}

/** All scales of some passes, once each. */
export function scalesOf(passes: readonly Pass[]): number[] {
  return [...new Set(passes.map(({ scale }) => scale))];
}

/** Pictures of a pass over one image, and their size. */
export function picturesOf({ kind, scale, crop = 0 }: Pass, image: Size): Size & { readonly count: number } {
  if (kind === 'dense') return { ...rescaledSize(image.width, image.height, scale), count: 1 };
  return { width: crop, height: crop, count: kind === 'crops' ? gridCount : 1 };
}

/** Floating-point operations of all passes over one image of the given displayed size. */
export function workOf(passes: readonly Pass[], image: Size): number {
  return passes.reduce((sum, pass) => {
    const { width, height, count } = picturesOf(pass, image);
    const flops = pass.networks.reduce(
      (all, { source }) => all + forwardFlops(source.spec, height, width),
      0,
    );
    return sum + flops * count * (pass.flip ? 2 : 1);
  }, 0);
}

/** The pass in which a network looks at such pictures. */
export function findPass(
  passes: readonly Pass[],
  network: ComparedNetwork,
  kind: PassKind,
  scale: number,
): Pass {
  return passes.find(
    (pass) => pass.kind === kind && pass.scale === scale && pass.networks.includes(network),
  )!;
}
