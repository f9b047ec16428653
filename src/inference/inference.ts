import type { Answer, PartialAnswer } from './answer.ts';
import type { InferenceOptions } from './options.ts';

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
