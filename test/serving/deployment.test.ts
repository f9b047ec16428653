import { describe, expect, it } from 'vitest';
import { startHosts } from '../../src/engine/hosts/start.ts';
import { VerydeepError } from '../../src/errors.ts';
import type { Answer } from '../../src/inference/answer.ts';
import type { Deployment } from '../../src/serving/deployment.ts';
import { deferred } from '../deferred.ts';
import { patient, waves } from '../inference/tiny.ts';
import { deploy, options, type TestPool, testPool, testScheduler, versionOf } from './deployments.ts';

const ask = async (deployment: Deployment, phase = 0): Promise<Answer> =>
  deployment.run(await waves(60, 40, phase), options, patient());

const probabilities = ({ result }: Answer): number[] =>
  [...result.classes].sort((a, b) => a.index - b.index).map(({ probability }) => probability);

describe('a deployment', () => {
  it('refuses images until a picture has gone the whole way through its hosts', async () => {
    const opened = deferred();
    let pool: TestPool | undefined;
    const deployment = await deploy({
      startHosts: async () => {
        pool = await testPool(opened.promise);
        return pool;
      },
    });
    expect(deployment.state()).toBe('loading');
    expect(deployment.isReady()).toBe(false);
    await expect(ask(deployment)).rejects.toMatchObject({
      code: 'NOT_READY',
      message: 'tiny version 1 is loading',
    });
    opened.resolve();
    expect(await deployment.ready).toMatchObject({ engine: 'reference', device: 'cpu' });
    expect(deployment.state()).toBe('ready');
    expect(deployment.isReady()).toBe(true);
    expect(deployment.hosts()).toHaveLength(1);
    // Its warm-up was at every default scale, with every network.
    expect(pool!.batches.map(({ networks }) => networks)).toEqual(
      Array(3).fill(['tiny/1/a', 'tiny/1/b', 'tiny/1/boxes']),
    );
    expect((await ask(deployment)).result.classes).toHaveLength(5);
    pool!.isUp = false;
    expect(deployment.isReady()).toBe(false);
  });

  it('has failed, with the reason, if its hosts do not start', async () => {
    const reason = new VerydeepError('DEVICE_UNAVAILABLE', 'no such device');
    const deployment = await deploy({ startHosts: () => Promise.reject(reason) });
    await expect(deployment.ready).rejects.toBe(reason);
    expect(deployment.state()).toBe('failed');
    expect(deployment.hosts()).toEqual([]);
    await expect(ask(deployment)).rejects.toThrow('tiny version 1 is failed');
    deployment.stop();
    expect(deployment.state()).toBe('failed');
  });

  it('leaves no host behind if it cannot be loaded into them', async () => {
    const pool = await testPool();
    pool.load = () => Promise.reject(new VerydeepError('INVALID_WEIGHTS', 'NaN'));
    const deployment = await deploy({ startHosts: async () => pool });
    await expect(deployment.ready).rejects.toMatchObject({ code: 'INVALID_WEIGHTS' });
    expect(deployment.state()).toBe('failed');
    expect(pool.isDisposed).toBe(true);
  });

  it('becomes ready while the queue is full, and its warm-up is no measure of the rate', async () => {
    const scheduler = testScheduler({ maxQueueWork: 1 });
    const held = scheduler.admit({ work: 1, deadline: Number.POSITIVE_INFINITY });
    const deployment = await deploy({ scheduler });
    await deployment.ready;
    expect(scheduler.queue()).toMatchObject({ requests: 1, work: 1 });
    await expect(ask(deployment)).rejects.toMatchObject({ code: 'QUEUE_FULL', retryAfterSeconds: 1 });
    held.release();
    expect((await ask(deployment)).result.classes).toHaveLength(5);
  });

  it('that is stopping answers what still comes, but is not ready', async () => {
    const deployment = await deploy();
    await deployment.ready;
    deployment.stop();
    expect(deployment.state()).toBe('stopping');
    expect(deployment.isReady()).toBe(false);
    expect((await ask(deployment)).result.classes).toHaveLength(5);
  });

  it('gives its answers under way before it ends its hosts, and none after', async () => {
    const opened = deferred();
    let gate: Promise<unknown> = Promise.resolve();
    const pool = await testPool();
    const run = pool.run;
    let started = (): void => {};
    pool.run = async (batch) => {
      started();
      await gate;
      return run(batch);
    };
    const deployment = await deploy({ startHosts: async () => pool });
    await deployment.ready;
    gate = opened.promise;
    const answer = await new Promise<{ of: Promise<Answer> }>((resolve) => {
      const under = { of: ask(deployment) };
      started = () => resolve(under);
    });
    let disposed = false;
    const end = deployment.dispose().then(() => {
      disposed = true;
    });
    await expect(ask(deployment)).rejects.toThrow('tiny version 1 is stopping');
    expect([disposed, pool.isDisposed]).toEqual([false, false]);
    opened.resolve();
    expect((await answer.of).result.classes).toHaveLength(5);
    await end;
    expect(pool.isDisposed).toBe(true);
  });

  it.each(['before its hosts are there', 'while it is loaded'])(
    'that is stopped %s leaves none behind',
    async (when) => {
      const opened = deferred();
      const pool = await testPool(opened.promise);
      const hosts = deferred<TestPool>();
      const deployment = await deploy({ startHosts: () => hosts.promise });
      if (when === 'while it is loaded') {
        hosts.resolve(pool);
        await expect.poll(() => pool.batches.length).toBeGreaterThan(0);
      }
      await deployment.dispose();
      hosts.resolve(pool);
      opened.resolve();
      await expect(deployment.ready).rejects.toMatchObject({ code: 'NOT_READY' });
      expect(deployment.state()).toBe('stopping');
      expect(pool.isDisposed).toBe(true);
    },
  );
});

describe('two deployments on one device', () => {
  it('share its queue and its limit, each with its own batches and answers', async () => {
    const scheduler = testScheduler();
    const pools = [await testPool(), await testPool()];
    const [one, two] = await Promise.all(
      pools.map((pool, i) => deploy({ version: `${i + 1}`, scheduler, startHosts: async () => pool })),
    );
    await Promise.all([one!.ready, two!.ready]);
    const phases = [0, 1, 2, 3];
    const alone: number[][] = [];
    for (const deployment of [one!, two!]) {
      for (const phase of phases) alone.push(probabilities(await ask(deployment, phase)));
    }
    expect(alone[0]).not.toEqual(alone[4]);

    const opened = deferred();
    for (const pool of pools) {
      const { run } = pool;
      pool.run = async (batch) => {
        await opened.promise;
        return run(batch);
      };
      pool.batches.splice(0);
    }
    const answers = [one!, two!].flatMap((deployment) => phases.map((phase) => ask(deployment, phase)));
    await expect.poll(() => scheduler.queue().requests).toBe(8); // of both together
    opened.resolve();
    const together = (await Promise.all(answers)).map(probabilities);
    together.forEach((numbers, k) => {
      for (const [i, number] of numbers.entries()) expect(number).toBeCloseTo(alone[k]![i]!, 5);
    });
    pools.forEach((pool, i) => {
      const networks = new Set(pool.batches.flatMap((batch) => batch.networks));
      expect([...networks]).toEqual([`tiny/${i + 1}/a`, `tiny/${i + 1}/b`]);
    });
    expect(scheduler.queue()).toMatchObject({ requests: 0, work: 0 });
  });

  it('refuse images of one for the work of the other', async () => {
    const opened = deferred();
    const scheduler = testScheduler({ maxQueueWork: 1e6 });
    const gated = await testPool();
    const run = gated.run;
    const [one, two] = await Promise.all([
      deploy({ version: '1', scheduler, startHosts: async () => gated }),
      deploy({ version: '2', scheduler }),
    ]);
    await Promise.all([one.ready, two.ready]);
    gated.run = async (batch) => {
      await opened.promise;
      return run(batch);
    };
    const first = ask(one);
    await expect.poll(() => scheduler.queue().requests).toBe(1);
    await expect(ask(two)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    opened.resolve();
    await first;
    expect((await ask(two)).result.classes).toHaveLength(5);
  });

  it('lose nothing when the host of one dies', async () => {
    const scheduler = testScheduler();
    const hosts = () => startHosts({ engine: 'reference', devices: 'cpu', threads: 1 });
    const [one, two] = await Promise.all([
      deploy({ version: '1', scheduler, startHosts: hosts }),
      deploy({ version: '2', scheduler, startHosts: hosts }),
    ]);
    await Promise.all([one.ready, two.ready]);
    expect(one.ensemble).toEqual(await versionOf('1'));
    const before = probabilities(await ask(two));
    const pids = [one, two].map((deployment) => deployment.hosts()[0]!.pid!);
    expect(pids[0]).not.toBe(pids[1]);
    process.kill(pids[0]!, 'SIGKILL');
    const [, answer] = await Promise.all([ask(one), ask(two)]);
    expect(probabilities(answer)).toEqual(before);
    expect(two.hosts()[0]).toMatchObject({ pid: pids[1], restarts: 0 });
  });
});
