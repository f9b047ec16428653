import { afterEach, describe, expect, it } from 'vitest';
import type { NetworkOutput } from '../../../src/engine/engine.ts';
import { createEnginePool, type EnginePool, type EnginePoolOptions } from '../../../src/engine/hosts/pool.ts';
import { backoffMs, type HostEvent } from '../../../src/engine/hosts/supervisor.ts';
import { createReferenceEngine } from '../../../src/engine/reference/engine.ts';
import { VerydeepError } from '../../../src/errors.ts';
import { isRunning } from '../../processes/running.ts';
import { cpu, createHost, noise, tinyNetwork } from './hosts.ts';

let pool: EnginePool | undefined;
afterEach(async () => {
  await pool?.dispose();
  pool = undefined;
});

/** A pool of hosts with the reference engine, and its events. */
async function createPool(hosts: number, options: Partial<EnginePoolOptions> = {}) {
  const events: HostEvent[] = [];
  const listeners = new Set<() => void>();
  const created = await createEnginePool({
    placements: Array.from({ length: hosts }, () => cpu),
    createEngine: createHost,
    backoff: { initialMs: 1, maxMs: 8 },
    recoveryTimeoutMs: 60_000,
    patience: { untriedMs: 60_000, floorMs: 60_000 },
    ...options,
    onEvent(event) {
      options.onEvent?.(event);
      events.push(event);
      for (const listener of listeners) listener();
    },
  });
  pool = created;
  /** Waits until so many events of a type have been. */
  const until = (type: HostEvent['type'], count: number) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (events.filter((event) => event.type === type).length < count) return;
        listeners.delete(check);
        resolve();
      };
      listeners.add(check);
      check();
    });
  return { pool: created, events, until };
}

const kill = (pid: number | undefined) => process.kill(pid!, 'SIGKILL');

/** What one engine in this process answers to `noise(['a'], seed)`. */
async function expected(seeds: readonly number[]): Promise<Map<string, NetworkOutput>[]> {
  const local = await createReferenceEngine();
  await local.load(tinyNetwork('a'));
  return Promise.all(seeds.map((seed) => local.run(noise(['a'], seed))));
}

const seeds = [1, 2, 3, 4, 5, 6];

describe('engine pool', () => {
  it('uses all hosts and answers each batch as one engine would', async () => {
    const { pool } = await createPool(2);
    expect(pool.ready()).toBe(true);
    await pool.load(tinyNetwork('a'));
    const runs = seeds.map((seed) => pool.run(noise(['a'], seed)));
    expect(pool.hosts().map((host) => host.inFlight)).toEqual([2, 2]);
    expect(await Promise.all(runs)).toEqual(await expected(seeds));
    expect(pool.hosts()).toEqual(
      [0, 1].map(() => ({
        device: 'cpu',
        pid: expect.any(Number),
        state: 'ready',
        restarts: 0,
        rssBytes: expect.any(Number),
        inFlight: 0,
      })),
    );
    expect(pool.capabilities).toEqual({ engine: 'reference', device: 'cpu,cpu', threads: 2 });
  });

  it('tries work again on a live host when its host is killed', async () => {
    const { pool, until } = await createPool(2);
    await pool.load(tinyNetwork('a'));
    const runs = seeds.map((seed) => pool.run(noise(['a'], seed)));
    kill(pool.hosts()[0]!.pid);
    expect(await Promise.all(runs)).toEqual(await expected(seeds));
    await until('ready', 3);
    expect(pool.hosts().map((host) => host.restarts)).toEqual([1, 0]);
  });

  it('tries work again on the only host when that is back, with its networks', async () => {
    const { pool, until } = await createPool(1);
    await pool.load(tinyNetwork('b', 9));
    await pool.load(tinyNetwork('a'));
    await pool.unload('b');
    const first = pool.hosts()[0]!.pid;
    const run = pool.run(noise(['a'], 1));
    kill(first);
    expect([await run]).toEqual(await expected([1]));
    await until('ready', 2);
    expect(pool.hosts()[0]!.pid).not.toBe(first);
    expect(pool.ready()).toBe(true);
    await expect(pool.run(noise(['b'], 1))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
  });

  it('gives work up when its host dies twice', async () => {
    const { pool, until } = await createPool(1, {
      onEvent: ({ type, restarts, pid }) => {
        if (type === 'ready' && restarts === 1) kill(pid); // the batch is on its way to it
      },
    });
    await pool.load(tinyNetwork('a'));
    const run = pool.run(noise(['a'], 1));
    kill(pool.hosts()[0]!.pid);
    await expect(run).rejects.toMatchObject({ code: 'ENGINE_LOST', statusCode: 503 });
    await until('ready', 3);
    expect([await pool.run(noise(['a'], 1))]).toEqual(await expected([1]));
  });

  it('lets nobody wait for ever for a host that does not come back', async () => {
    let starts = 0;
    const { pool, until } = await createPool(1, {
      recoveryTimeoutMs: 20,
      createEngine: (placement) => {
        if (starts++ === 0) return createHost(placement);
        return Promise.reject(new VerydeepError('DEVICE_UNAVAILABLE', 'gone'));
      },
    });
    await pool.load(tinyNetwork('a'));
    kill(pool.hosts()[0]!.pid);
    await until('failed', 2);
    await expect(pool.run(noise(['a'], 1))).rejects.toMatchObject({ code: 'ENGINE_LOST' });
    expect(pool.ready()).toBe(false);
    expect(pool.hosts()[0]).toMatchObject({ pid: undefined, rssBytes: 0, inFlight: 0 });
    await expect(pool.load(tinyNetwork('b'))).rejects.toMatchObject({ code: 'ENGINE_LOST' });
  });

  it('replaces a host that hangs, and computes its work on the next one', async () => {
    const { pool, events, until } = await createPool(1, { patience: { untriedMs: 60_000, floorMs: 200 } });
    await pool.load(tinyNetwork('a'));
    await pool.run(noise(['a'], 1));
    process.kill(pool.hosts()[0]!.pid!, 'SIGSTOP');
    expect(await pool.run(noise(['a'], 2))).toEqual((await expected([2]))[0]);
    await until('ready', 2);
    expect(events.find(({ type }) => type === 'lost')!.reason).toMatch(/gave no answer for \d+ ms/);
  });

  it('refuses bad weights and keeps the network that it had', async () => {
    const { pool } = await createPool(2);
    await pool.load(tinyNetwork('a'));
    const bad = { ...tinyNetwork('a'), weights: { path: '/nowhere.safetensors' } };
    await expect(pool.load(bad)).rejects.toMatchObject({ code: 'INVALID_WEIGHTS' });
    await expect(pool.load({ ...bad, id: 'b' })).rejects.toMatchObject({ code: 'INVALID_WEIGHTS' });
    expect(await Promise.all(seeds.map((seed) => pool.run(noise(['a'], seed))))).toEqual(
      await expected(seeds),
    );
  });

  it('leaves no process when one host cannot be started', async () => {
    const pids: number[] = [];
    const start = createPool(2, {
      placements: [cpu, { device: 'cuda:0', threads: 1 }],
      createEngine: async (placement) => {
        if (placement.device !== 'cpu') throw new VerydeepError('DEVICE_UNAVAILABLE', 'no CUDA here');
        const host = await createHost(placement);
        pids.push(host.pid);
        return host;
      },
    });
    await expect(start).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
    expect(pids.map(isRunning)).toEqual([false]);
  });

  it('ends all hosts and refuses all work when it is disposed', async () => {
    const { pool, events } = await createPool(2);
    await pool.load(tinyNetwork('a'));
    const pids = pool.hosts().map((host) => host.pid!);
    const runs = Promise.allSettled(seeds.map((seed) => pool.run(noise(['a'], seed))));
    await pool.dispose();
    for (const run of await runs) {
      expect(run).toMatchObject({ status: 'rejected', reason: { code: 'ENGINE_LOST' } });
    }
    expect(pids.map(isRunning)).toEqual([false, false]);
    expect(events.map((event) => event.type)).toEqual(['ready', 'ready']);
  });

  it('waits twice as long before each start in a row that fails, up to a bound', () => {
    const waits = [1, 2, 3, 4, 5].map((attempt) => backoffMs({ initialMs: 100, maxMs: 1000 }, attempt));
    expect(waits).toEqual([100, 200, 400, 800, 1000]);
  });
});
