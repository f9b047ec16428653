import { createApp } from '../src/server/app.ts';
import { createMetrics } from '../src/server/operations/metrics.ts';
import { createRegistry } from '../src/serving/registry.ts';

/** The OpenAPI document of the service, which depends on no ensemble and no setting. */
export async function openapiDocument(): Promise<object> {
  const serving = createRegistry({ ensemble: 'none', version: '1' });
  const metrics = createMetrics({
    queue: () => ({ requests: 0, work: 0, maxWork: 0 }),
    deployments: serving.deployments,
  });
  const app = await createApp({ serving, metrics, limits, doors: { origins: [] } });
  await app.ready();
  const document = app.swagger();
  await app.close();
  return document;
}

// --- helpers ---

const limits = {
  maxFileBytes: 1,
  maxFiles: 1,
  receiveTimeoutMs: 1000,
  maxRequests: 1,
  timeoutMs: 1,
  maxStreams: 1,
  streamCredits: 1,
  streamMaxUnsentBytes: 1,
};
