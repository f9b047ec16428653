/** What an error is about, and so who meets it. */
export const errorKinds = {
  image:
    'One image. Of several in a request, each one with an error has it in its place, and the others are answered.',
  service:
    'One image, which is not at fault: the service could not answer it. When all images of a request are refused with a code that may be tried again, the whole request gets that code.',
  whole: 'A request as a whole, before anybody looks at what is in it: its options, the number of its files.',
  request: 'Any request, whatever its route.',
  route: 'A request for which there is no route.',
  job: 'The routes under `/admin/jobs`.',
  gone: 'A client that has left. Nobody reads the answer; logs and metrics have the code.',
  start:
    'The start of the service, the commands, and jobs: it is the `error` of a job that failed. In the answer to an HTTP request its code is INTERNAL.',
} as const;

export type ErrorKind = keyof typeof errorKinds;

interface ErrorEntry {
  /** HTTP status. */
  readonly status: number;
  readonly of: ErrorKind;
  /** For docs/errors.md. */
  readonly description: string;
  /**
   * What users are told in place of the message, which may speak of processes, paths and libraries. A code of 500 or
   * above without such words is INTERNAL to them.
   */
  readonly words?: string;
  /** The same request may succeed later. The answer has Retry-After. */
  readonly retry?: true;
}

/**
 * Every error that a user can meet: the only list of codes. Statuses, public messages, OpenAPI, the reasons of
 * `verydeep_rejects_total` and the tables of docs/errors.md (`npm run docs`) are derived from it.
 */
const errorTable = {
  NO_IMAGE: { status: 400, of: 'image', description: 'No bytes, or no file, where an image is expected.' },
  FILE_TOO_LARGE: { status: 413, of: 'image', description: 'The file has more bytes than `MAX_FILE_BYTES`.' },
  TOO_MANY_PIXELS: { status: 413, of: 'image', description: 'The image has more pixels than `MAX_PIXELS`.' },
  IMAGE_TOO_COMPLEX: {
    status: 413,
    of: 'image',
    description: 'Sides, scans, pages or chunks beyond what a photograph has ([images.md](images.md)).',
  },
  UNSUPPORTED_IMAGE: {
    status: 415,
    of: 'image',
    description:
      'The file, or the content type of the request, is not one of the formats that are read ([images.md](images.md)).',
  },
  CORRUPT_IMAGE: { status: 422, of: 'image', description: 'The file is damaged or incomplete.' },

  QUEUE_FULL: {
    status: 429,
    of: 'service',
    retry: true,
    description:
      'More requests, streams or work than the service takes at once, or a queue that cannot be done in time.',
  },
  ENGINE_FAILED: {
    status: 500,
    of: 'service',
    words: 'the engine could not compute this image',
    description: 'The engine returned an error for this image alone.',
  },
  ENGINE_LOST: {
    status: 503,
    of: 'service',
    retry: true,
    words: 'the engine stopped while it computed this image and is being started again; try again',
    description: 'The engine host died twice while it computed this image, or is being started again.',
  },
  DEADLINE_EXCEEDED: {
    status: 504,
    of: 'service',
    retry: true,
    words: 'the image was not answered within its time (timeoutMs)',
    description: 'The answer was not ready within `timeoutMs`.',
  },

  INVALID_OPTION: {
    status: 400,
    of: 'whole',
    description: 'An option of the query or of a stream, or of a command, is unknown or out of range.',
  },
  TOO_MANY_FILES: { status: 413, of: 'whole', description: 'More files in one request than `MAX_FILES`.' },

  MALFORMED_REQUEST: {
    status: 400,
    of: 'request',
    description: 'Not HTTP/1.1, or a path, header or body that cannot be read.',
  },
  ORIGIN_REFUSED: {
    status: 403,
    of: 'request',
    description: 'A web page that is not of this service, nor in `ALLOWED_ORIGINS`, sends or opens a stream.',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    of: 'request',
    description: 'The request did not arrive completely in time.',
  },
  UNKNOWN_HOST: {
    status: 421,
    of: 'request',
    description: 'The request is for a name that this service does not have (`ALLOWED_HOSTS`).',
  },
  HEADERS_TOO_LARGE: { status: 431, of: 'request', description: 'The headers are larger than 16 KiB.' },
  INTERNAL: {
    status: 500,
    of: 'request',
    words: 'internal error; the log of the service has it by X-Request-Id',
    description: 'A fault of the service. Its log has the reason, by the `X-Request-Id` of the answer.',
  },
  NOT_READY: {
    status: 503,
    of: 'request',
    retry: true,
    words: 'the service is starting or stopping, or no engine host is up; try again',
    description: 'The service is starting or stopping, or has no engine host at the moment.',
  },

  NOT_FOUND: {
    status: 404,
    of: 'route',
    description: 'No such path, or no such job; of a command, no such file.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    of: 'route',
    description: 'The path takes other methods; `Allow` lists them.',
  },
  UPGRADE_REQUIRED: {
    status: 426,
    of: 'route',
    description: 'A plain request to `/stream`, which is a WebSocket.',
  },

  INVALID_JOB: {
    status: 400,
    of: 'job',
    description: 'A job that cannot be accepted: its type, data set or settings.',
  },
  UNAUTHORISED: { status: 401, of: 'job', description: 'No token, or another than `ADMIN_TOKEN`.' },
  ADMIN_DISABLED: { status: 403, of: 'job', description: 'The service was started without `ADMIN_TOKEN`.' },
  JOB_CONFLICT: {
    status: 409,
    of: 'job',
    description: 'The job is not in a state for this: cancelling one that has ended, resuming one that runs.',
  },
  TOO_MANY_ATTEMPTS: {
    status: 429,
    of: 'job',
    retry: true,
    description: 'Too many wrong tokens from one address at once; a wrong one is answered after a while.',
  },
  JOBS_UNAVAILABLE: {
    status: 503,
    of: 'job',
    retry: true,
    words: 'the database of jobs cannot be reached; try again',
    description: 'The database of jobs cannot be reached.',
  },

  REQUEST_CANCELLED: {
    status: 499,
    of: 'gone',
    description: 'The client closed the connection before its answer.',
  },

  INVALID_SETTINGS: {
    status: 500,
    of: 'start',
    description: 'A setting of the service or of a training is wrong, or contradicts another.',
  },
  INVALID_WEIGHTS: {
    status: 500,
    of: 'start',
    description: 'A weights file, a manifest or a checkpoint is missing, damaged or does not fit.',
  },
  INVALID_DATASET: { status: 500, of: 'start', description: 'A data set cannot be used as it is.' },
  DEVICE_UNAVAILABLE: {
    status: 500,
    of: 'start',
    description: 'A device, or the library of an engine, is not on this machine.',
  },
  TRAINING_DIVERGED: {
    status: 500,
    of: 'start',
    description: 'A number of a training is no longer finite; its last good checkpoint is kept.',
  },
  WORKER_LOST: {
    status: 500,
    of: 'start',
    description: 'A process of a training on several died; the last checkpoint is good.',
  },
  DISK_FULL: {
    status: 507,
    of: 'start',
    description: 'No room on the disk; what was there before is unharmed.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;

/** What the table says of a code. */
export function errorEntry(code: ErrorCode): ErrorEntry {
  return errorTable[code];
}

/** The codes of some kinds, in the order of the table; of all kinds when none is named. */
export function codesOf(...kinds: readonly ErrorKind[]): ErrorCode[] {
  const codes = Object.keys(errorTable) as ErrorCode[];
  return kinds.length === 0 ? codes : codes.filter((code) => kinds.includes(errorEntry(code).of));
}

/** The codes that requests, images and streams are answered with. */
export const answeredCodes: readonly ErrorCode[] = codesOf().filter(
  (code) => errorEntry(code).of !== 'start',
);

/** An error with a code that users can rely on and the HTTP status that goes with it. */
export class VerydeepError extends Error {
  override readonly name = 'VerydeepError';
  readonly code: ErrorCode;
  readonly statusCode: number;
  /** Seconds after which a refused request may be tried again (codes with `retry`). */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; retryAfterSeconds?: number }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.statusCode = errorTable[code].status;
    this.retryAfterSeconds = options?.retryAfterSeconds;
  }
}

/** Whether an error is a coded one: with one of these codes, or with any when none is named. */
export function isVerydeepError(error: unknown, ...codes: readonly ErrorCode[]): error is VerydeepError {
  return error instanceof VerydeepError && (codes.length === 0 || codes.includes(error.code));
}

/** Whether an error is a coded one of one of these kinds. */
export function isErrorOf(error: unknown, ...kinds: readonly ErrorKind[]): boolean {
  return error instanceof VerydeepError && kinds.includes(errorEntry(error.code).of);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
