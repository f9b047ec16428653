/**
 * The figures of docs/performance.md: `npm run bench`. Full-size D and E with hashed weights; the bare script (raw.ts) and
 * the service (HTTP, decode, batch, answer) take turns in every round, so that a noisy machine disturbs both alike.
 * It prints a table in Markdown and the same as JSON. Linux only (memory by `ps`).
 */
import { once } from 'node:events';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { forkProgram, programBeside } from '../src/processes/programs.ts';
import { threadLimit } from '../src/processes/threads.ts';
import { benchEnsemble, fullSize, smallSize, weightsFolder } from './ensemble.ts';
import { measureLiveness } from './liveness.ts';
import { load } from './load.ts';
import { measureMemorySlope } from './memory.ts';
import { photograph } from './photographs.ts';
import { startServer } from './server.ts';
import { median } from './statistics.ts';

const { values } = parseArgs({
  options: {
    /** Turns of bare script and service. */
    rounds: { type: 'string', default: '5' },
    /** Requests over which memory is watched. */
    requests: { type: 'string', default: '2000' },
  },
});

const concurrency = 8;
/** One scale, no mirror image: what the bare script computes. */
const query = '?scales=224&flip=false';
const settings = {
  WEIGHTS_DIR: weightsFolder,
  ENSEMBLE_VERSION: '1',
  ENGINE: 'onnx',
  DEVICES: 'cpu',
  TIMEOUT_MS: '300000', // nothing is given up, however slow the machine
  SHUTDOWN_TIMEOUT_MS: '310000',
  SHUTDOWN_DELAY_MS: '0',
};

await benchEnsemble('full', fullSize);
await benchEnsemble('small', smallSize);
const images = await Promise.all([1, 2, 3, 4].map((seed) => photograph(224, 224, seed)));

const figures = {
  machine: `${cpus()[0]!.model}, ${threadLimit()} threads, Node ${process.versions.node}`,
  ...(await compareWithRaw(Number(values.rounds))),
  ...(await measureSmall(Number(values.requests))),
};
console.log(markdown(figures));
console.log(JSON.stringify(figures));

/** Throughput and latency of both; then, of the service with full-size networks, liveness and memory. */
async function compareWithRaw(rounds: number) {
  const raw = await startRaw();
  const server = await startServer({ ...settings, ENSEMBLE: 'full' });
  const url = `${server.url}/classify${query}`;
  const latency = { raw: [] as number[], service: [] as number[] };
  const throughput = { raw: [] as number[], service: [] as number[] };
  try {
    await raw.run(concurrency, 1); // both have seen the shapes before anything counts
    await load(url, images, 2 * concurrency, concurrency);
    for (let round = 0; round < rounds; round++) {
      latency.raw.push(median(await raw.run(1, 5)));
      latency.service.push(median((await load(url, images, 5, 1)).latencies));
      const rawTimes = await raw.run(concurrency, 3);
      throughput.raw.push((1000 * concurrency * rawTimes.length) / rawTimes.reduce((a, b) => a + b));
      const count = 4 * concurrency; // the last batches are not full: a long run makes that small
      const { totalMs } = await load(url, images, count, concurrency);
      throughput.service.push((1000 * count) / totalMs);
    }
    raw.stop();
    const liveness = await measureLiveness(server.url, `/classify${query}`, images[0]!);
    const { serverBytes, hostBytes } = server.memory();
    return {
      throughputRaw: median(throughput.raw),
      throughputService: median(throughput.service),
      throughputRatio: median(throughput.service.map((value, i) => value / throughput.raw[i]!)),
      latencyRawMs: median(latency.raw),
      latencyServiceMs: median(latency.service),
      latencyRatio: median(latency.raw.map((value, i) => value / latency.service[i]!)),
      ...liveness,
      serverBytes,
      hostBytes,
    };
  } finally {
    raw.stop();
    await server.stop();
  }
}

/** Memory over many requests, with networks small enough to do them in a minute. */
async function measureSmall(requests: number) {
  const server = await startServer({ ...settings, ENSEMBLE: 'small' });
  try {
    return await measureMemorySlope(server, requests);
  } finally {
    await server.stop();
  }
}

async function startRaw() {
  const child = forkProgram(programBeside(import.meta.url, './raw'), [], {});
  await once(child, 'message');
  return {
    /** Milliseconds of each of `runs` passes of `count` pictures. */
    async run(count: number, runs: number): Promise<number[]> {
      child.send({ count, runs });
      const [times] = await once(child, 'message');
      return times as number[];
    },
    stop: () => void child.kill(),
  };
}

function markdown(f: typeof figures): string {
  const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
  const rows = [
    ['', 'bare onnxruntime-node', 'service', 'ratio'],
    ['---', '---', '---', '---'],
    [
      `images/s, concurrency ${concurrency}`,
      f.throughputRaw.toFixed(2),
      f.throughputService.toFixed(2),
      f.throughputRatio.toFixed(3),
    ],
    [
      'latency ms, concurrency 1',
      f.latencyRawMs.toFixed(0),
      f.latencyServiceMs.toFixed(0),
      f.latencyRatio.toFixed(3),
    ],
    [`/livez ms while the queue is full (${f.refused} refused), p99`, '', f.livezP99Ms.toFixed(1), ''],
    ['memory of the server, full-size D and E', '', megabytes(f.serverBytes), ''],
    ['memory of its host', '', megabytes(f.hostBytes), ''],
    [
      `growth of the server over ${f.requests} requests (small nets)`,
      '',
      `${f.serverBytesPerRequest.toFixed(0)} bytes a request`,
      '',
    ],
    [`growth of its host`, '', `${f.hostBytesPerRequest.toFixed(0)} bytes a request`, ''],
  ];
  return [f.machine, '', ...rows.map((cells) => `| ${cells.join(' | ')} |`), ''].join('\n');
}
