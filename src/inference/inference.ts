/** What a caller (HTTP route, stream, command) asks for and gets. */

export type Task = 'classify' | 'localise';
/** Dense evaluation over the whole picture, a 5 x 5 grid of crops, or the mean of both (paper, 3.2 and 4.3). */
export type View = 'dense' | 'crops' | 'both';

export interface InferenceOptions {
  readonly task: Task;
  /** Classes in the answer; all where the ensemble has fewer. */
  readonly top: number;
  /** Smallest sides Q in pixels; the ensemble's own where not given. */
  readonly scales?: readonly number[];
  readonly flip: boolean;
  readonly view: View;
  /** Names of classification networks; all where not given. */
  readonly networks?: readonly string[];
  /** Also answer the score maps of the top classes (classify). */
  readonly maps: boolean;
  /** The best merged box of each of the top classes, or all merged boxes (localise). */
  readonly boxes: 'best' | 'all';
}

export interface RankedClass {
  readonly index: number;
  readonly label: string;
  /** Posterior, mean over scales, flips and networks. */
  readonly probability: number;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A merged box in pixels of the image as displayed. */
export interface Detection extends RankedClass {
  /** Sum of the class posteriors of the windows that were merged into it. */
  readonly score: number;
  readonly windows: number;
  readonly box: Box;
}

/** Posteriors of one class at every window of one scale of the picture (not its mirror image), mean over networks. */
export interface ClassMap {
  readonly index: number;
  readonly scale: number;
  /** `[height, width]`, row-major. */
  readonly height: number;
  readonly width: number;
  readonly values: readonly number[];
}

export interface ImageResult {
  readonly width: number;
  readonly height: number;
  readonly classes: readonly RankedClass[];
  readonly detections?: readonly Detection[];
  readonly maps?: readonly ClassMap[];
}

/** The jitter plan as it was carried out. */
export interface PlanSummary {
  readonly scales: readonly number[];
  readonly flip: boolean;
  readonly view: View;
  readonly networks: readonly string[];
}

/** Milliseconds; for one image, or the longest of several that ran side by side. */
export interface Timing {
  readonly decodeMs: number;
  /** While none of its pictures was decoded or with the engine. */
  readonly queueMs: number;
  /** While at least one of its pictures was with the engine. */
  readonly inferenceMs: number;
}

export interface Answer {
  readonly result: ImageResult;
  readonly plan: PlanSummary;
  readonly timing: Timing;
}

export interface PartialAnswer {
  readonly scalesDone: readonly number[];
  readonly result: ImageResult;
}

export interface RequestContext {
  /** Whose request it is, for instance its connection: clients take turns when decoders are busy. */
  readonly client: string;
  /** Aborted when the caller has gone; work not yet running is then dropped. */
  readonly signal: AbortSignal;
  /** `performance.now()` after which nobody waits for the answer: DEADLINE_EXCEEDED. */
  readonly deadline: number;
  /** Called after each scale but the last. */
  readonly onPartial?: (partial: PartialAnswer) => void;
}

export interface Inference {
  /**
   * Answers one image. Throws the coded errors of `errors.ts`: UNSUPPORTED_IMAGE, CORRUPT_IMAGE, TOO_MANY_PIXELS,
   * INVALID_OPTION, QUEUE_FULL, DEADLINE_EXCEEDED, REQUEST_CANCELLED, ENGINE_FAILED, ENGINE_LOST.
   */
  run(bytes: Uint8Array, options: InferenceOptions, context: RequestContext): Promise<Answer>;
}
