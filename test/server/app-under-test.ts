import type { FastifyInstance } from 'fastify';
import { afterEach } from 'vitest';
import type { HostState } from '../../src/engine/hosts/pool.ts';
import type { Ensemble, EnsembleNetwork } from '../../src/ensembles/ensemble.ts';
import { VerydeepError } from '../../src/errors.ts';
import type { Answer } from '../../src/inference/answer.ts';
import type { RequestContext } from '../../src/inference/inference.ts';
import type { InferenceOptions } from '../../src/inference/options.ts';
import type { Head } from '../../src/network/architecture.ts';
import { type AppLimits, createApp } from '../../src/server/app.ts';
import type { Doors } from '../../src/server/doors.ts';
import type { Admin } from '../../src/server/jobs/routes.ts';
import { createMetrics, type Metrics } from '../../src/server/operations/metrics.ts';
import type { Deployment } from '../../src/serving/deployment.ts';
import { createRegistry, type Registry } from '../../src/serving/registry.ts';
import { deferred } from '../deferred.ts';

const network = (name: string, head: Head = 'classes'): EnsembleNetwork =>
  ({ name, spec: { head } }) as EnsembleNetwork;

export const ensemble: Ensemble = {
  name: 'tiny',
  version: '3',
  digest: `sha256:${'ab'.repeat(32)}`,
  labels: ['cat', 'dog', 'bird'],
  classifiers: [network('d'), network('e')],
  localisers: [network('boxes', 'scr')],
  crop: 32,
  scales: [32, 48],
};

export const limits: AppLimits = {
  maxFileBytes: 1000,
  maxFiles: 4,
  maxRequests: 16,
  receiveTimeoutMs: 60_000,
  timeoutMs: 5000,
  maxStreams: 4,
  streamCredits: 2,
  streamMaxUnsentBytes: 100_000,
};

export const host: HostState = {
  device: 'cpu',
  pid: 1,
  state: 'ready',
  restarts: 2,
  rssBytes: 1e8,
  inFlight: 1,
};

export type Run = (bytes: Uint8Array, options: InferenceOptions, context: RequestContext) => Promise<Answer>;

/**
 * A plain inference: the first byte is the class, the second an error. Its answer depends on the bytes, so that swapped
 * answers are seen.
 */
export const plainRun: Run = async (bytes, options, { onPartial }) => {
  if (bytes.length === 0) throw new VerydeepError('NO_IMAGE', 'an empty file');
  const text = Buffer.from(bytes).toString();
  if (text.startsWith('bad')) throw new VerydeepError('CORRUPT_IMAGE', 'half a picture');
  if (text.startsWith('full'))
    throw new VerydeepError('QUEUE_FULL', 'the queue is full', { retryAfterSeconds: 3 });
  if (text.startsWith('lost')) throw new VerydeepError('ENGINE_LOST', 'process 4711 died');
  if (text.startsWith('bug')) throw new TypeError('secret of /etc/passwd');
  const { scales = ensemble.scales, networks = ['d', 'e'], flip, view, task, maps } = options;
  const result = {
    width: bytes.length,
    height: 1,
    classes: ensemble.labels
      .map((label, index) => ({ index, label, probability: 1 / 3 }))
      .slice(0, options.top),
    ...(task === 'localise' && {
      detections: [
        {
          index: 0,
          label: 'cat',
          probability: 1 / 3,
          score: 2 / 3,
          windows: 2,
          box: { x: 0.123456, y: 1, width: 2, height: 3 },
        },
      ],
    }),
    ...(maps && { maps: [{ index: 0, scale: 32, height: 1, width: 2, values: [0.25, 0.5] }] }),
  };
  scales.slice(1).forEach((_, done) => {
    onPartial?.({ scalesDone: scales.slice(0, done + 1), result });
  });
  return {
    result,
    plan: { scales, networks, flip, view },
    timing: { decodeMs: 1.2345, queueMs: 0.5, inferenceMs: 10 },
  };
};

/** A deployment without engine hosts. */
export function plainDeployment({
  run = plainRun,
  isReady = () => true,
  version = ensemble.version,
  served = ensemble,
}: {
  run?: Run;
  isReady?: () => boolean;
  version?: string;
  served?: Ensemble;
}): Deployment {
  return {
    ensemble: { ...served, version },
    run,
    state: () => (isReady() ? 'ready' : 'loading'),
    ready: Promise.resolve({ engine: 'none', device: 'cpu', threads: 1 }),
    isReady,
    hosts: () => [host],
    stop() {},
    dispose: async () => {},
  };
}

export interface AppUnderTest {
  readonly app: FastifyInstance;
  readonly registry: Registry;
  readonly metrics: Metrics;
}

const started: FastifyInstance[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((app) => app.close()));
});

/** An app that closes itself after the test. */
export async function startApp(
  options: {
    run?: Run;
    isReady?: () => boolean;
    limits?: Partial<AppLimits>;
    doors?: Doors;
    admin?: Admin;
    /** The first is the stable one. */
    versions?: readonly string[];
  } = {},
): Promise<AppUnderTest> {
  const registry = createRegistry({ ensemble: 'tiny', version: 'stable' });
  const { versions = [ensemble.version] } = options;
  for (const [i, version] of versions.entries()) {
    registry.add(plainDeployment({ ...options, version }), i === 0 ? ['stable'] : []);
  }
  const metrics = createMetrics({
    queue: () => ({ requests: 1, work: 2e9, maxWork: 3e9 }),
    deployments: registry.deployments,
    jobs: () => options.admin?.jobs,
  });
  const app = await createApp({
    serving: registry,
    metrics,
    limits: { ...limits, ...options.limits },
    doors: options.doors ?? { origins: [] },
    ...(options.admin && { admin: options.admin }),
  });
  started.push(app);
  return { app, registry, metrics };
}

export interface Part {
  readonly name: string;
  readonly bytes: string;
}

/** A multipart/form-data request with files. */
export function multipartOf(parts: readonly Part[]): { payload: string; headers: Record<string, string> } {
  const boundary = 'a-boundary';
  const payload = parts
    .map(
      ({ name, bytes }) =>
        `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: image/jpeg\r\n\r\n${bytes}\r\n`,
    )
    .join('');
  return {
    payload: `${payload}--${boundary}--\r\n`,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  };
}

/** A run that answers like {@link plainRun} once it is released. */
export function heldRun(): { run: Run; running: Promise<void>; release(): void } {
  const running = deferred();
  const release = deferred();
  return {
    async run(...call) {
      running.resolve();
      await release.promise;
      return plainRun(...call);
    },
    running: running.promise,
    release: release.resolve,
  };
}
