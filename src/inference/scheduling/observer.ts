/** Observations of one version, for metrics; they must not throw. */
export interface InferenceObserver {
  /**
   * `decode` once an image; the others once for each item (a picture at one scale, or its crops): `queue` until its batch
   * is sent to the engine, `batch_wait` the part of it that was spent waiting for company, and `inference`.
   */
  stage(stage: 'decode' | 'queue' | 'batch_wait' | 'inference', seconds: number): void;
  /** A batch was answered; `work` in floating-point operations. */
  batch(pictures: number, work: number): void;
}
