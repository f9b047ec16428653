/**
 * What a training beside it costs the service (docs/performance.md): latency of `POST /classify`, one request at a time,
 * without and with a job, in turns: `npm run bench:jobs`. The service runs its embedded ensemble.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { load } from './load.ts';
import { photograph } from './photographs.ts';
import { startServer } from './server.ts';
import { quantile } from './statistics.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    requests: { type: 'string', default: '150' },
    /** JOB_THREADS: 0 leaves jobs what the service does not use. */
    threads: { type: 'string', default: '0' },
  },
});
const requests = Number(values.requests);
const token = 'token-of-the-bench-alone';
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };

const folder = await mkdtemp(join(tmpdir(), 'verydeep-bench-'));
await writeDataset(join(folder, 'datasets', 'noise'));
const server = await startServer({
  ADMIN_TOKEN: token,
  DATA_DIR: join(folder, 'data'),
  DATASETS_DIR: join(folder, 'datasets'),
  JOB_THREADS: values.threads,
});
const images = await Promise.all([1, 2, 3, 4].map((seed) => photograph(500, 375, seed)));
const measure = async (): Promise<readonly number[]> =>
  (await load(`${server.url}/classify`, images, requests, 1)).latencies;

await measure(); // caches are warm before anything counts
console.log('| round | alone p50, p99 ms | beside a job p50, p99 ms | p99 ratio |');
console.log('|---|---|---|---|');
const alone: number[] = [];
const beside: number[] = [];
try {
  for (let round = 1; round <= Number(values.rounds); round++) {
    const without = await measure();
    const id = await startJob();
    const withJob = await measure();
    await cancel(id);
    row(`${round}`, without, withJob);
    alone.push(...without);
    beside.push(...withJob);
  }
  row('all', alone, beside);
} finally {
  await server.stop();
  await rm(folder, { recursive: true });
}

function row(name: string, without: readonly number[], withJob: readonly number[]): void {
  const [a, b] = [without, withJob].map((times) => [quantile(times, 0.5), quantile(times, 0.99)] as const);
  const text = (pair: readonly [number, number]) => pair.map((ms) => ms.toFixed(1)).join(', ');
  console.log(`| ${name} | ${text(a!)} | ${text(b!)} | ${(b![1] / a![1]).toFixed(2)} |`);
}

/** Answers once the job computes. */
async function startJob(): Promise<string> {
  const settings = {
    architecture: 'D',
    width: 0.125,
    fc: 256,
    crop: 128,
    batch: 32,
    epochs: 1000,
    scale: 144,
  };
  const body = JSON.stringify({ type: 'train', dataset: 'noise', ensemble: 'bench', settings });
  const response = await fetch(`${server.url}/admin/jobs`, { method: 'POST', headers, body });
  const text = await response.text();
  if (response.status !== 202) throw new Error(`the job was not taken: ${text}`);
  const { id } = JSON.parse(text) as { id: string };
  await untilEvent(id, 'step');
  return id;
}

async function cancel(id: string): Promise<void> {
  await fetch(`${server.url}/admin/jobs/${id}/cancel`, {
    method: 'POST',
    headers: { authorization: headers.authorization },
  });
  await untilEvent(id, undefined);
}

/** Reads the job's events up to one of a type, or to their end. */
async function untilEvent(id: string, type: string | undefined): Promise<void> {
  const response = await fetch(`${server.url}/admin/jobs/${id}/events`, { headers });
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (type !== undefined && text.includes(`event: ${type}\n`)) return;
  }
  if (type !== undefined) throw new Error(`the job ended before an event "${type}": ${text}`);
}

/** Two classes of pictures that a training can be busy with. */
async function writeDataset(path: string): Promise<void> {
  for (const [split, count] of [
    ['train', 64],
    ['val', 4],
  ] as const) {
    for (const label of ['left', 'right']) {
      await mkdir(join(path, split, label), { recursive: true });
      for (let i = 0; i < count; i++) {
        const seed = 1000 * label.length + 100 * split.length + i;
        await writeFile(join(path, split, label, `${i}.jpg`), await photograph(200, 160, seed));
      }
    }
  }
}
