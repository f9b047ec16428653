import type { ForwardSpec } from '../network/architecture.ts';
import type { Preprocessing } from '../network/preprocessing.ts';
import type { WeightSources } from '../network/weights.ts';
import type { Device } from './devices.ts';
import type { Precision } from './precision.ts';

/** Where and how an engine computes. */
export interface EngineOptions {
  readonly device: Device;
  readonly threads: number;
  /** Other processes compute on the same cores: threads that wait for work must sleep, not spin. */
  readonly sharedCores: boolean;
  readonly precision: Precision;
  /** Path of the native library of an engine that takes one (oneDNN); searched for when omitted. */
  readonly libraryPath?: string | undefined;
}

/** A network to load: its shape, its pre-processing, and its weights in memory or the path of a safetensors file. */
export interface NetworkSource {
  /** Unique among the networks loaded in one engine, for instance `demo/1/d`. */
  readonly id: string;
  readonly spec: ForwardSpec;
  readonly preprocessing: Preprocessing;
  readonly weights: WeightSources | { readonly path: string };
}

/** Pictures of one size, run through one or more networks. */
export interface Batch {
  /** Ids of loaded networks; each sees all the pictures. */
  readonly networks: readonly string[];
  /** RGB, `[count, height, width, 3]`; both sides at least the networks' crop. */
  readonly pixels: Uint8Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** Also run the mirror images, and average the posteriors of image and mirror (paper, 3.2). */
  readonly flip: boolean;
  /** Also answer the score maps of the classification networks (box maps are always answered). */
  readonly maps: boolean;
}

/** Outputs at every position of the dense view. */
export interface OutputMaps {
  /**
   * `[views, count, outputs, h', w']`: scores before softmax (head `classes`) or boxes (centre x, centre y, width,
   * height relative to the crop-sized window at (32 x, 32 y); of class c in channels 4c..4c+3 for `pcr`).
   * View 0 is the picture; view 1, with `flip`, its mirror image, as computed (not mirrored back).
   */
  readonly data: Float32Array;
  readonly shape: readonly [views: number, count: number, outputs: number, height: number, width: number];
}

/** What one network answers to a batch. */
export interface NetworkOutput {
  /** `[count, classes]`: score map averaged over space, softmax, mean of picture and mirror; only of head `classes`. */
  readonly posteriors?: Float32Array;
  /**
   * `[count, fc]`: activations of the second fully connected layer, after its ReLU, averaged over space and over picture
   * and mirror (paper, appendix B); only of head `features`, which answers nothing else.
   */
  readonly features?: Float32Array;
  readonly maps?: OutputMaps;
}

export interface EngineCapabilities {
  /** `onnx`, `reference`, ... */
  readonly engine: string;
  /** `cpu`, `cuda:0`, ... */
  readonly device: string;
  readonly threads: number;
}

/**
 * Runs networks on one device. Implementations are interchangeable (one contract suite runs against all);
 * `run` may block the process that it is in, so a server calls it in a host process (`remote.ts`).
 */
export interface Engine {
  readonly capabilities: EngineCapabilities;
  /** Throws INVALID_WEIGHTS if a tensor is missing or has another shape. Loading an id again replaces it. */
  load(network: NetworkSource): Promise<void>;
  /** Returns by network id. Throws ENGINE_FAILED, or ENGINE_LOST if its host died. */
  run(batch: Batch): Promise<Map<string, NetworkOutput>>;
  unload(id: string): Promise<void>;
  dispose(): Promise<void>;
}
