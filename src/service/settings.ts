import { z } from 'zod';
import type { Contradiction } from '../engine/choose-engine.ts';
import { parseDevices } from '../engine/devices.ts';
import { engines } from '../engine/engines.ts';
import { precisions } from '../engine/precision.ts';
import { messageOf, VerydeepError } from '../errors.ts';
import { optionTable } from '../options/describe.ts';
import { fromTexts } from '../options/from-text.ts';
import { optionHints } from '../options/hints.ts';
import { describeIssues } from '../options/issues.ts';

/** Every setting of the service; the environment variable of `maxFileBytes` is `MAX_FILE_BYTES`. */
const settingsSchema = z.object({
  host: word().default('127.0.0.1').describe('address to listen on; `0.0.0.0` for all'),
  port: integer(0, 65_535).default(8080).describe('port to listen on; 0 for any that is free'),
  allowedHosts: z
    .array(word())
    .default([])
    .describe(
      'names, without port, that requests may use for this service, with commas between; when empty any, but on a loopback `HOST` only its own',
    ),
  allowedOrigins: z
    .array(word())
    .default([])
    .describe(
      'origins of web pages that may send images and open streams, `https://example.com`, with commas between; `*` for all; its own always may',
    ),
  logLevel: choice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent')
    .default('info')
    .describe('least severe log lines that are written'),
  weightsDir: word().optional().describe('folder of ensembles; the one of the package when not set'),
  ensemble: word().default('demo').describe('ensemble to serve'),
  ensembleVersion: version()
    .default('stable')
    .describe(
      'its version: a number; `stable`, the labelled one or else the highest; `latest`, the highest, candidates too',
    ),
  engine: choice(...engines.choices.serving)
    .default('auto')
    .describe(
      `what computes ([docs/engines.md](docs/engines.md)); \`auto\` takes the first of ${engines.automatic.join(', ')} that can do it and is there`,
    ),
  devices: word()
    .default('cpu')
    .describe('where: `cpu`, `cuda:0,cuda:1`, `tensorrt:0`, `webgpu`; one process each'),
  threads: integer(0, 1024).default(0).describe('threads of the cpu devices; 0 for the CPU limit'),
  precision: choice(...precisions)
    .default('fp32')
    .describe('arithmetic of the engine, which must know it on these devices'),
  onednnLibrary: word()
    .optional()
    .describe('path of the library of oneDNN, for serving and for jobs; searched for when not set'),
  adminToken: token()
    .optional()
    .describe('opens the routes under `/admin` and starts the queue of jobs, at least 16 characters'),
  maxFileBytes: integer(1, 2 ** 30)
    .default(20_000_000)
    .describe('largest file, in bytes'),
  maxPixels: integer(1, 2 ** 30)
    .default(50_000_000)
    .describe('largest image, width times height in pixels'),
  maxFiles: integer(1, 1000).default(64).describe('most files in one request'),
  maxRequests: integer(1, 100_000)
    .default(256)
    .describe('most image requests at once, being received or answered; more get 429'),
  receiveTimeoutMs: integer(1000, 3_600_000)
    .default(120_000)
    .describe(
      'longest time in which a request must have arrived, in milliseconds; a sender slower than 10 kB/s loses its place when others wait',
    ),
  decoders: integer(0, 64)
    .default(0)
    .describe(
      'processes that decode images, one image at a time each, about 80 MB; 0 for the CPU limit, at least 2',
    ),
  decodeTimeoutMs: integer(100, 600_000)
    .default(10_000)
    .describe('longest time that one image may take a decoder, in milliseconds; it is then refused'),
  batchDelayMs: integer(0, 10_000)
    .default(2)
    .describe('longest wait for more images while devices are busy, in milliseconds'),
  maxBatchGflops: integer(1, 10_000_000)
    .default(200)
    .describe('most work in one batch, in 10⁹ floating-point operations; one larger image runs alone'),
  maxQueueGflops: integer(1, 1_000_000_000)
    .default(5000)
    .describe(
      'most work that waits or runs, in 10⁹ floating-point operations; more gets 429; so does what the measured rate cannot do in time',
    ),
  timeoutMs: integer(1, 3_600_000)
    .default(20_000)
    .describe('longest time to an answer, in milliseconds; a request may ask for less'),
  shutdownDelayMs: integer(0, 600_000)
    .default(1000)
    .describe('after SIGTERM: time in which connections are still accepted, in milliseconds'),
  shutdownTimeoutMs: integer(1, 3_600_000)
    .default(25_000)
    .describe('after SIGTERM: time after which the process ends in any case, in milliseconds'),
  maxStreams: integer(1, 100_000).default(256).describe('most open WebSockets; more get 429'),
  streamCredits: integer(1, 1024)
    .default(8)
    .describe('images that a WebSocket may have sent without an answer'),
  streamMaxUnsentBytes: integer(1024, 2 ** 30)
    .default(4_000_000)
    .describe('unread answers, in bytes, at which a WebSocket is closed'),
  dataDir: word().default('data').describe('folder of jobs: checkpoints, logs, the embedded database'),
  datasetsDir: word().optional().describe('folder of the data sets that jobs may use'),
  databaseUrl: url('postgres', 'postgresql')
    .optional()
    .describe(
      'PostgreSQL that holds the jobs of all replicas, `postgres://...`; an embedded one when not set',
    ),
  jobThreads: integer(0, 1024)
    .default(0)
    .describe('cores that a job may take, at low priority; 0 for all, but only while they are idle'),
});

export type Settings = z.output<typeof settingsSchema>;

/**
 * Reads the settings from environment variables; an empty one counts as not set. Throws INVALID_SETTINGS with all
 * reasons: wrong values, and values that contradict one another.
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const received = Object.fromEntries(
    Object.keys(settingsSchema.shape)
      .map((key) => [key, environment[variableOf([key])]] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const values = fromTexts(settingsSchema, received);
  const { data, error } = settingsSchema.safeParse(values);
  const reasons = error
    ? describeIssues(settingsSchema, error.issues, values, { kind: 'setting', nameOf: variableOf })
    : contradictions(data);
  if (error || reasons.length > 0) {
    throw new VerydeepError('INVALID_SETTINGS', `wrong settings\n  ${reasons.join('\n  ')}`);
  }
  return data;
}

/** The table of all settings in the README, in Markdown. */
export function settingsTable(): string {
  return optionTable(settingsSchema, { heading: 'setting', nameOf: (name) => variableOf([name]) });
}

// --- helpers ---

function contradictions(settings: Settings): string[] {
  const { batchDelayMs, timeoutMs, shutdownDelayMs, shutdownTimeoutMs } = settings;
  const { maxBatchGflops, maxQueueGflops } = settings;
  const reasons: string[] = [];
  const expect = (ok: boolean, reason: string): unknown => ok || reasons.push(reason);
  expect(
    batchDelayMs < timeoutMs,
    `BATCH_DELAY_MS: expected less than TIMEOUT_MS (${timeoutMs}); received ${batchDelayMs}`,
  );
  expect(
    shutdownTimeoutMs >= timeoutMs + shutdownDelayMs,
    `SHUTDOWN_TIMEOUT_MS: expected at least TIMEOUT_MS + SHUTDOWN_DELAY_MS (${timeoutMs + shutdownDelayMs}), so that all accepted requests are answered; received ${shutdownTimeoutMs}`,
  );
  expect(
    maxBatchGflops <= maxQueueGflops,
    `MAX_BATCH_GFLOPS: expected at most MAX_QUEUE_GFLOPS (${maxQueueGflops}); received ${maxBatchGflops}`,
  );
  return [...reasons, ...engineContradictions(settings)];
}

const engineVariables: Record<Contradiction['of'], string> = {
  engine: 'ENGINE',
  devices: 'DEVICES',
  precision: 'PRECISION',
  library: 'ONEDNN_LIBRARY',
};

function engineContradictions({ engine, devices, precision, onednnLibrary }: Settings): string[] {
  try {
    const wish = { engine, devices: parseDevices(devices), precision, libraryPath: onednnLibrary };
    const { contradictions } = engines.choose(wish, 'serving');
    return contradictions.map(({ of, message }) => `${engineVariables[of]}: ${message}`);
  } catch (error) {
    return [`DEVICES: ${messageOf(error).replace(/^devices: /, '')}`];
  }
}

/** `maxFileBytes` gives `MAX_FILE_BYTES`. */
function variableOf([key]: readonly PropertyKey[]): string {
  return String(key)
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase();
}

function word() {
  return z.string();
}

function integer(least: number, most: number) {
  return z.int().min(least).max(most);
}

function choice<const Words extends readonly string[]>(...words: Words) {
  return z.enum(words);
}

/** What an HTTP header can carry, and nobody guesses; it is never written to a log. */
function token() {
  return z
    .string()
    .regex(/^[\x21-\x7e]{16,256}$/, 'expected 16 to 256 printable ASCII characters without spaces')
    .register(optionHints, { secret: true });
}

/** Of a database: it has its password, which is never written to a log. */
function url(...protocols: string[]) {
  const isOne = (text: string): boolean => protocols.some((protocol) => text.startsWith(`${protocol}://`));
  return z
    .string()
    .refine((text) => URL.canParse(text) && isOne(text), {
      error: `expected a URL that begins with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`,
    })
    .register(optionHints, { secret: true });
}

function version() {
  return z.string().regex(/^(stable|latest|[1-9]\d{0,8})$/, { error: 'expected a number, stable or latest' });
}
