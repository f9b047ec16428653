import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createRemoteEngine, type RemoteEngine } from '../../../src/engine/hosts/remote.ts';
import { createReferenceEngine } from '../../../src/engine/reference/engine.ts';
import type { VerydeepError } from '../../../src/errors.ts';
import { isRunning, startChild } from '../../processes/running.ts';
import { cpu, createHost, noise, tinyNetwork } from './hosts.ts';

describe('remote engine', () => {
  let host: RemoteEngine;
  beforeAll(async () => {
    host = await createHost();
    await host.load(tinyNetwork('a'));
  });
  afterAll(() => host.dispose());

  it('answers what the engine answers in this process', async () => {
    const local = await createReferenceEngine();
    await local.load(tinyNetwork('a'));
    const batch = { ...noise(['a'], 1), maps: true };
    expect(await host.run(batch)).toEqual(await local.run(batch));
    expect(host.capabilities).toEqual(local.capabilities);
  });

  it('matches answers to calls', async () => {
    const batches = [1, 2, 3, 4].map((seed) => noise(['a'], seed));
    const together = await Promise.all(batches.map((batch) => host.run(batch)));
    for (const [i, batch] of batches.entries()) expect(await host.run(batch)).toEqual(together[i]);
  });

  it('sends only the part of a buffer that is in view', async () => {
    const batch = noise(['a'], 5);
    const around = new Uint8Array(batch.pixels.length + 100);
    around.set(batch.pixels, 50);
    const view = around.subarray(50, 50 + batch.pixels.length);
    expect(await host.run({ ...batch, pixels: view })).toEqual(await host.run(batch));
  });

  it('passes coded errors on, and goes on', async () => {
    const { weights, ...network } = tinyNetwork('broken');
    await expect(host.load({ ...network, weights: { path: '/nowhere.safetensors' } })).rejects.toMatchObject({
      name: 'VerydeepError',
      code: 'INVALID_WEIGHTS',
    });
    await expect(host.run(noise(['a'], 6))).resolves.toBeDefined();
  });

  it('reports its memory', () => {
    expect(host.rssBytes()).toBeGreaterThan(10e6);
  });

  it('leaves Ctrl-C to its parent', async () => {
    process.kill(host.pid, 'SIGINT');
    process.kill(host.pid, 'SIGTERM');
    await expect(host.run(noise(['a'], 7))).resolves.toBeDefined();
  });
});

describe('a host that is lost', () => {
  it('rejects all calls at once with ENGINE_LOST', async () => {
    const host = await createHost();
    await host.load(tinyNetwork('a'));
    const calls = [1, 2].map((seed) => host.run(noise(['a'], seed)));
    process.kill(host.pid, 'SIGKILL');
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'ENGINE_LOST' } });
    }
    expect(host.lost.reason).toMatch(/SIGKILL/);
    await expect(host.run(noise(['a'], 3))).rejects.toMatchObject({ code: 'ENGINE_LOST' });
    await host.dispose();
  });

  it('is killed when it gives no answer for long', async () => {
    const start = createHost(cpu, 1); // no process starts within a millisecond
    const error: VerydeepError = await start.catch((reason) => reason);
    expect(error).toMatchObject({ code: 'ENGINE_LOST' });
    const [, pid] = /\(process (\d+)\) gave no answer for 1 ms/.exec(error.message)!;
    expect(isRunning(Number(pid))).toBe(false);
  });

  it('is ended by dispose, in the middle of its work', async () => {
    const host = await createHost();
    await host.load(tinyNetwork('a'));
    const call = expect(host.run(noise(['a'], 1))).rejects.toMatchObject({ code: 'ENGINE_LOST' });
    await host.dispose();
    await call;
    expect(isRunning(host.pid)).toBe(false);
    await host.dispose();
  });

  it('ends when its parent is killed', async () => {
    const { child: parent, line } = await startChild(new URL('./hosts-parent.ts', import.meta.url));
    const pid = Number(line);
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitUntil(() => !isRunning(pid), { timeout: 30_000 }); // no event tells of a process that is not ours
  });
});

describe('a host that cannot start', () => {
  it('says why', async () => {
    const start = createRemoteEngine({
      engine: 'onnx',
      precision: 'fp32',
      device: 'cuda:99',
      threads: 1,
      sharedCores: false,
      answerTimeoutMs: 60_000,
    });
    await expect(start).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
  });
});
