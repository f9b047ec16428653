import type { NetworkSpec } from '../network/architecture.ts';
import type { Preprocessing } from '../network/preprocessing.ts';

/** One network of an ensemble version. */
export interface EnsembleNetwork {
  /** Unique in the ensemble and short: `d`, `e`, `boxes`. */
  readonly name: string;
  readonly spec: NetworkSpec;
  readonly preprocessing: Preprocessing;
  /** Smallest side S of the training pictures in pixels: one value twice, or a range (scale jittering). */
  readonly trainingScale: { readonly min: number; readonly max: number };
  /** Layers that were tuned, if its manifest says so. */
  readonly trainable?: 'all' | 'fullyConnected';
  /** As its manifest has them. */
  readonly metrics?: Readonly<Record<string, unknown>>;
  /** Absolute path of its safetensors file. */
  readonly path: string;
}

/** What is served: one immutable version of an ensemble. */
export interface Ensemble {
  readonly name: string;
  readonly version: string;
  /** `sha256:` and the hash of the manifest, which holds the hash of every file. */
  readonly digest: string;
  readonly labels: readonly string[];
  /** Those of head `classes`: their posteriors are averaged. */
  readonly classifiers: readonly EnsembleNetwork[];
  /** Those of heads `scr` and `pcr`: the union of their boxes is merged. May be empty. */
  readonly localisers: readonly EnsembleNetwork[];
  /** Side of the crop of all its networks (they share windows). */
  readonly crop: number;
  /** Default test scales Q: S - 32, S, S + 32 of a fixed S, else smallest, middle and largest S (paper, 4.2). */
  readonly scales: readonly number[];
}
