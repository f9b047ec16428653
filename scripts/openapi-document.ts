import type { Ensemble } from '../src/ensembles/ensemble.ts';
import type { Inference } from '../src/inference/inference.ts';
import { createApp } from '../src/server/app.ts';
import { createMetrics } from '../src/server/operations/metrics.ts';

/** The OpenAPI document of the service, which depends on no ensemble and no setting. */
export async function openapiDocument(): Promise<object> {
  const metrics = createMetrics({ queue: () => ({ requests: 0, work: 0, maxWork: 0 }), hosts: () => [] });
  const app = await createApp({ ensemble, inference: nothing, isReady: () => false, metrics, limits });
  await app.ready();
  const document = app.swagger();
  await app.close();
  return document;
}

// --- helpers ---

const nothing: Inference = {
  run: () => Promise.reject(new Error('only documented')),
};

const ensemble: Ensemble = {
  name: 'none',
  version: '1',
  digest: '',
  labels: [],
  classifiers: [],
  localisers: [],
  crop: 32,
  scales: [],
};

const limits = {
  maxFileBytes: 1,
  maxFiles: 1,
  maxRequests: 1,
  timeoutMs: 1,
  maxStreams: 1,
  streamCredits: 1,
  streamMaxUnsentBytes: 1,
};
