import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { HostState } from '../../engine/hosts/pool.ts';
import { answeredCodes, type ErrorCode } from '../../errors.ts';
import type { QueueState } from '../../inference/scheduling/admission.ts';
import type { InferenceObserver } from '../../inference/scheduling/observer.ts';
import type { Deployment } from '../../serving/deployment.ts';
import { type ObserveResponse, registerHttpMetrics } from './http-metrics.ts';
import { type JobGauges, registerJobMetrics } from './job-metrics.ts';
import { registerProcessMetrics } from './process-metrics.ts';

export interface Metrics {
  readonly registry: Registry;
  /** A hook `onResponse` that counts HTTP requests. */
  readonly observeResponse: ObserveResponse;
  /** For `createInference`. */
  observerOf(ensemble: ServedEnsemble): InferenceObserver;
  /** An image was answered, so long after its bytes were there. */
  answered(ensemble: ServedEnsemble, seconds: number): void;
  /** A request, a file or a stream's image was answered with an error. */
  rejected(code: ErrorCode): void;
  streamOpened(): void;
  streamRefused(): void;
  streamClosed(code: number): void;
  dispose(): void;
}

/** What a metric that belongs to one version is labelled with. */
export type ServedEnsemble = Pick<Deployment['ensemble'], 'name' | 'version'>;

export interface MetricsOptions {
  readonly queue: () => QueueState;
  readonly deployments: () => readonly Pick<Deployment, 'ensemble' | 'hosts'>[];
  /** Where there is a queue of them. */
  readonly jobs?: () => JobGauges | undefined;
}

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25];
const versionLabels = ['ensemble', 'version'] as const;
const hostLabels = [...versionLabels, 'host', 'device'] as const;

/** All metrics of the service in a registry of their own (docs/metrics.md lists them). Base units. */
export function createMetrics({ queue, deployments, jobs = () => undefined }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];

  const stages = new Histogram({
    name: 'verydeep_stage_duration_seconds',
    help: 'Time of an image in each stage: decode, queue, batch_wait, inference, total.',
    labelNames: ['stage', ...versionLabels],
    buckets: secondsBuckets,
    registers,
  });
  const batchPictures = new Histogram({
    name: 'verydeep_batch_pictures',
    help: 'Pictures in a batch.',
    labelNames: versionLabels,
    buckets: [1, 2, 4, 8, 16, 32, 64, 128],
    registers,
  });
  const batchWork = new Counter({
    name: 'verydeep_batch_work_flops_total',
    help: 'Floating-point operations of all batches.',
    labelNames: versionLabels,
    registers,
  });
  const rejects = new Counter({
    name: 'verydeep_rejects_total',
    help: 'Requests, files of requests and images of streams that were refused, by code.',
    labelNames: ['reason'] as const,
    registers,
  });
  for (const reason of answeredCodes) rejects.inc({ reason }, 0);

  gauge('verydeep_queue_requests', 'Images that wait or are computed.', () => queue().requests);
  gauge('verydeep_queue_work_flops', 'Their work, in floating-point operations.', () => queue().work);
  gauge('verydeep_queue_limit_flops', 'Work above which images are refused.', () => queue().maxWork);

  hostGauge('verydeep_host_up', '1 where the engine host takes batches.', ({ state }) =>
    state === 'ready' ? 1 : 0,
  );
  hostGauge(
    'verydeep_host_batches_in_flight',
    'Batches sent to the engine host and not answered.',
    (host) => host.inFlight,
  );
  hostGauge(
    'verydeep_host_resident_memory_bytes',
    'Resident memory of the engine host.',
    (host) => host.rssBytes,
  );
  new Counter({
    name: 'verydeep_host_restarts_total',
    help: 'Processes of the engine host that were started after its first.',
    labelNames: hostLabels,
    registers,
    collect() {
      this.reset();
      for (const { labels, state } of hosts()) this.inc(labels, state.restarts);
    },
  });

  const streams = new Gauge({ name: 'verydeep_stream_connections', help: 'Open WebSockets.', registers });
  const streamCloses = new Counter({
    name: 'verydeep_stream_closes_total',
    help: 'Closed WebSockets, by the code with which they were closed.',
    labelNames: ['code'] as const,
    registers,
  });

  const streamRefusals = new Counter({
    name: 'verydeep_stream_refusals_total',
    help: 'WebSockets that were refused because too many were open.',
    registers,
  });

  const observeResponse = registerHttpMetrics(registry, secondsBuckets);
  const endProcessMetrics = registerProcessMetrics(registry);
  registerJobMetrics(registry, jobs);

  /** Each host with its place in its deployment. */
  function hosts() {
    return deployments().flatMap(({ ensemble, hosts }) =>
      hosts().map((state, host) => ({
        labels: { ...labelsOf(ensemble), host, device: state.device },
        state,
      })),
    );
  }

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }

  function hostGauge(name: string, help: string, read: (host: HostState) => number): void {
    new Gauge({
      name,
      help,
      labelNames: hostLabels,
      registers,
      collect() {
        this.reset(); // those of a deployment that has gone are no more told of
        for (const { labels, state } of hosts()) this.set(labels, read(state));
      },
    });
  }

  return {
    registry,
    observeResponse,
    observerOf(ensemble) {
      const labels = labelsOf(ensemble);
      batchWork.inc(labels, 0); // so that it has a rate from the first batch on
      return {
        stage: (stage, seconds) => stages.observe({ stage, ...labels }, seconds),
        batch(pictures, work) {
          batchPictures.observe(labels, pictures);
          batchWork.inc(labels, work);
        },
      };
    },
    answered: (ensemble, seconds) => stages.observe({ stage: 'total', ...labelsOf(ensemble) }, seconds),
    rejected: (reason) => rejects.inc({ reason }),
    streamOpened: () => streams.inc(),
    streamRefused: () => streamRefusals.inc(),
    streamClosed(code) {
      streams.dec();
      streamCloses.inc({ code });
    },
    dispose: endProcessMetrics,
  };
}

// --- helpers ---

function labelsOf({ name, version }: ServedEnsemble): { ensemble: string; version: string } {
  return { ensemble: name, version };
}
