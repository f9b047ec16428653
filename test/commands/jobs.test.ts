import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job, NewJob } from '../../src/jobs/job.ts';
import { writeTinyEnsemble } from '../ensembles/tiny.ts';
import { killGroup, logOf, serve, until } from '../service/serve-process.ts';
import { writeColourDataset } from '../training/pictures.ts';

const token = 'a-token-of-many-letters';
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };

const training: NewJob = {
  type: 'train',
  dataset: 'colours',
  ensemble: 'tiny',
  settings: {
    ...{ architecture: 'A', width: 1 / 32, fc: 8, crop: 32, scale: 32 },
    ...{ batch: 4, epochs: 30, rate: 0.001, initialise: 'he', seed: 5, threads: 1 },
  },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verydeep jobs ')); // a blank in it, as people's folders have
  await writeTinyEnsemble(join(folder, 'weights'));
  writeColourDataset(join(folder, 'data sets', 'colours'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function start() {
  const child = serve({
    ENGINE: 'auto', // the reference engine does not train
    ADMIN_TOKEN: token,
    JOB_THREADS: '1',
    WEIGHTS_DIR: join(folder, 'weights'),
    DATASETS_DIR: join(folder, 'data sets'),
    DATA_DIR: join(folder, 'jobs of mine'),
  });
  const log = logOf(child);
  const { address, version } = await until(log, 'ready');
  const call = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${address}/admin/jobs${path}`, { ...init, headers: { ...headers, ...init.headers } });
  return {
    child,
    version,
    log,
    call,
    async create(request: NewJob): Promise<Job> {
      const response = await call('', { method: 'POST', body: JSON.stringify(request) });
      expect(response.status).toBe(202);
      return (await response.json()) as Job;
    },
    get: async (id: string): Promise<Job> => (await (await call(`/${id}`)).json()) as Job,
    events: async function* (id: string, lastEventId = 0) {
      const response = await call(`/${id}/events`, { headers: { 'last-event-id': `${lastEventId}` } });
      const decoder = new TextDecoder();
      let text = '';
      for await (const chunk of response.body!) {
        text += decoder.decode(chunk, { stream: true });
        const messages = text.split('\n\n');
        text = messages.pop()!;
        for (const message of messages) {
          const [, number, type, data] = /^id: (\d+)\nevent: (\w+)\ndata: (.*)$/.exec(message) ?? [];
          if (number === undefined) continue; // the time after which to come back, or a comment
          yield { id: Number(number), type: type!, data: JSON.parse(data!) as Record<string, unknown> };
        }
      }
    },
  };
}

type Service = Awaited<ReturnType<typeof start>>;

/** Events to the end: their types, where the last process began, and the digest of the last checkpoint. */
async function toItsEnd({ events }: Service, id: string) {
  const types: string[] = [];
  let firstEpoch: unknown;
  let digest: unknown;
  for await (const { type, data } of events(id)) {
    types.push(type);
    if (type === 'start') firstEpoch = data.epoch;
    if (type === 'done') digest = data.checkpoint;
  }
  return { types, firstEpoch, digest };
}

/** Waits until a file in a job's run folder is written. */
async function fileOf({ id }: Job, name: RegExp, changes: AsyncIterator<{ filename: string | null }>) {
  for (;;) {
    const { filename } = (await changes.next()).value;
    if (filename?.includes(id) && name.test(filename)) return;
  }
}

describe('jobs of the real service', () => {
  // Six processes start one after the other, and a job has only the time that others leave.
  it('train a candidate version, measure it, and survive a kill -9 of everything', {
    timeout: 600_000,
  }, async () => {
    const first = await start();
    const { id } = await first.create(training);
    const { types, firstEpoch, digest } = await toItsEnd(first, id);
    expect(firstEpoch).toBe(1);
    expect(new Set(types)).toEqual(
      new Set(['state', 'loading', 'dataset', 'start', 'step', 'epoch', 'checkpoint', 'done']),
    );
    const { state, result } = await first.get(id);
    expect([state, result]).toMatchObject(['done', { ensemble: 'tiny', version: '2' }]);
    expect(digest).toMatch(/^sha256:/);
    const version = join(folder, 'weights', 'tiny', '2');
    const manifest = JSON.parse(await readFile(join(version, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({ labels: ['blue', 'green', 'red'], provenance: { job: id } });
    // The network was written once, by the training; the version has another name of that file.
    const jobs = join(folder, 'jobs of mine', 'jobs');
    const [trained, ...others] = (await readdir(jobs, { recursive: true })).filter((name) =>
      /epoch-\d+/.test(name),
    );
    expect(others).toEqual([]);
    const inodes = [join(jobs, trained!), join(version, manifest.networks[0].file)].map(
      async (path) => (await stat(path)).ino,
    );
    expect(await inodes[1]).toBe(await inodes[0]);
    expect(await (await first.call(`/${id}/log`)).text()).toContain('epoch');
    for (const state of ['queued', 'running', 'done'] as const) {
      expect(await until(first.log, `job ${state}`)).toMatchObject({ job: id, type: 'train', state });
    }

    const evaluated = await first.create({ ...training, type: 'evaluate', ensemble: 'tiny@2', settings: {} });
    await toItsEnd(first, evaluated.id);
    expect(await first.get(evaluated.id)).toMatchObject({
      state: 'done',
      result: { version: '2', digest: result!.digest, metrics: { images: 12, top5: 1 } },
    });

    // Events may come only when a fast machine is done. Of the jobs' folders alone: a recursive watcher throws from a
    // callback, where nobody can catch it, when a folder that it has just heard of is gone, as the database's may be.
    const enough = new AbortController();
    const options = { recursive: true, signal: enough.signal };
    const writing = watch(join(folder, 'jobs of mine', 'jobs'), options)[Symbol.asyncIterator]();
    const again = await first.create(training);
    await fileOf(again, /\/epoch-\d+\.safetensors$/, writing);
    await fileOf(again, /\/checkpoint\.safetensors$/, writing); // after the first epoch: at the start there is one as well
    enough.abort();
    const gone = once(first.child, 'exit');
    killGroup(first.child);
    await gone;

    const second = await start();
    expect(second.version).toBe('1'); // nobody said that the candidate is to be served
    expect((await second.events(again.id, 1).next()).value).toMatchObject({ id: 2 });
    const end = await toItsEnd(second, again.id);
    expect(end.firstEpoch).toBeGreaterThan(1);
    expect(end.digest).toBe(digest);
    expect(await second.get(again.id)).toMatchObject({ state: 'done', result: { version: '3' } });
  });
});
