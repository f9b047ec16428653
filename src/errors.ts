/**
 * Every error that a user can meet, in one place: code, HTTP status, and what the message must say.
 * Messages name what was expected and what was received.
 */
export const errorStatus = {
  INVALID_OPTION: 400,
  NO_IMAGE: 400,
  MALFORMED_REQUEST: 400,
  /** A job that cannot be accepted: its type, data set or settings. */
  INVALID_JOB: 400,
  UNAUTHORISED: 401,
  /** Admin routes without a token in the settings. */
  ADMIN_DISABLED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  /** The request did not arrive within the server's time. */
  REQUEST_TIMEOUT: 408,
  /** Not in the state that the request needs: an ended job cancelled, a running one resumed. */
  JOB_CONFLICT: 409,
  FILE_TOO_LARGE: 413,
  TOO_MANY_FILES: 413,
  TOO_MANY_PIXELS: 413,
  /** Sides, scans, pages or chunks beyond what a photograph has (docs/images.md). */
  IMAGE_TOO_COMPLEX: 413,
  UNSUPPORTED_IMAGE: 415,
  CORRUPT_IMAGE: 422,
  /** A plain request where a WebSocket is expected. */
  UPGRADE_REQUIRED: 426,
  HEADERS_TOO_LARGE: 431,
  /** The client went away; nobody reads this answer. */
  REQUEST_CANCELLED: 499,
  INTERNAL: 500,
  /** The engine answered a batch of this one picture with an error. */
  ENGINE_FAILED: 500,
  QUEUE_FULL: 429,
  NOT_READY: 503,
  /** The database of jobs cannot be reached. */
  JOBS_UNAVAILABLE: 503,
  /** The engine host died twice under this work, or is being restarted. */
  ENGINE_LOST: 503,
  DEADLINE_EXCEEDED: 504,
  /** Start-up and commands only: settings, weights, data sets, devices. */
  INVALID_SETTINGS: 500,
  INVALID_WEIGHTS: 500,
  INVALID_DATASET: 500,
  DEVICE_UNAVAILABLE: 500,
  TRAINING_DIVERGED: 500,
  /** A process of data-parallel training died; the job ends with its last good checkpoint. */
  WORKER_LOST: 500,
  DISK_FULL: 507,
} as const;

export type ErrorCode = keyof typeof errorStatus;

/** An error with a code that users can rely on and the HTTP status that goes with it. */
export class VerydeepError extends Error {
  override readonly name = 'VerydeepError';
  readonly code: ErrorCode;
  readonly statusCode: number;
  /** Seconds after which a refused request may be tried again (429 and 503). */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; retryAfterSeconds?: number }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.statusCode = errorStatus[code];
    this.retryAfterSeconds = options?.retryAfterSeconds;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
