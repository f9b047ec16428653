import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { EnginePool } from '../../src/engine/hosts/pool.ts';
import { createReferenceEngine } from '../../src/engine/reference/engine.ts';
import type { Ensemble } from '../../src/ensembles/ensemble.ts';
import { loadEnsemble } from '../../src/ensembles/load.ts';
import type { InferenceOptions } from '../../src/inference/options.ts';
import { type BatchingOptions, createScheduler } from '../../src/inference/scheduling/scheduler.ts';
import { createDeployment, type Deployment, type DeploymentOptions } from '../../src/serving/deployment.ts';
import { writeTinyEnsemble } from '../ensembles/tiny.ts';
import { tinyDecoders } from '../inference/tiny.ts';

let weights: string;
const deployments: Deployment[] = [];
beforeAll(async () => {
  weights = await mkdtemp(join(tmpdir(), 'verydeep-'));
  for (const version of ['1', '2']) await writeTinyEnsemble(weights, version);
});
afterEach(async () => {
  await Promise.all(deployments.splice(0).map((deployment) => deployment.dispose()));
});
afterAll(() => rm(weights, { recursive: true }));

export const versionOf = (version: string): Promise<Ensemble> => loadEnsemble(weights, 'tiny', version);

/** The reference engine in this process, as a pool of one host that can be held up. */
export interface TestPool extends EnginePool {
  /** Batches that were sent to it; each is answered when `opened` is fulfilled. */
  readonly batches: { readonly networks: readonly string[] }[];
  isUp: boolean;
  isDisposed: boolean;
}

export async function testPool(opened: Promise<unknown> = Promise.resolve()): Promise<TestPool> {
  const engine = createReferenceEngine();
  const pool: TestPool = {
    ...engine,
    batches: [],
    isUp: true,
    isDisposed: false,
    async run(batch) {
      pool.batches.push(batch);
      await opened;
      return engine.run(batch);
    },
    ready: () => pool.isUp,
    hosts: () => [{ device: 'cpu', pid: 1, state: 'ready', restarts: 0, rssBytes: 0, inFlight: 0 }],
    async dispose() {
      pool.isDisposed = true;
      await engine.dispose();
    },
  };
  return pool;
}

export const testScheduler = (batching: Partial<BatchingOptions> = {}) =>
  createScheduler({
    devices: 1,
    batching: { batchDelayMs: 1, maxBatchWork: 1e9, maxQueueWork: 1e12, ...batching },
  });

/** A deployment of `tiny` that is disposed of after the test. */
export async function deploy(
  options: Partial<Omit<DeploymentOptions, 'ensemble'>> & { version?: string } = {},
): Promise<Deployment> {
  const { version = '1', ...others } = options;
  const deployment = createDeployment({
    ensemble: await versionOf(version),
    startHosts: () => testPool(),
    scheduler: testScheduler(),
    decoders: tinyDecoders(),
    ...others,
  });
  deployments.push(deployment);
  return deployment;
}

export const options: InferenceOptions = {
  task: 'classify',
  top: 5,
  flip: false,
  view: 'dense',
  maps: false,
  boxes: 'best',
  scales: [32],
};
