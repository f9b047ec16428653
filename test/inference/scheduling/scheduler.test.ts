import { setMaxListeners } from 'node:events';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Batch, Engine, NetworkOutput } from '../../../src/engine/engine.ts';
import { VerydeepError } from '../../../src/errors.ts';
import type { BatchItem } from '../../../src/inference/scheduling/run-batch.ts';
import { type BatchingOptions, createScheduler } from '../../../src/inference/scheduling/scheduler.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

/** The number that a picture of one pixel is. */
const idOf = (pixels: Uint8Array, at = 0): number =>
  (pixels[3 * at]! << 16) | (pixels[3 * at + 1]! << 8) | pixels[3 * at + 2]!;
const pixelsOf = (id: number): Uint8Array => Uint8Array.of(id >> 16, id >> 8, id);

interface Call {
  readonly engine: Pick<Engine, 'run'>;
  readonly batch: Batch;
  readonly ids: readonly number[];
  answer(): void;
  fail(error: unknown): void;
}

/** Engines that answer each picture with its own number, when they are told to. Batches with a poisoned one fail. */
function manualEngines(count: number, poisoned: (id: number) => boolean = () => false) {
  const calls: Call[] = [];
  /** All batches that were ever sent. */
  const sent: Batch[] = [];
  const run = (engine: Pick<Engine, 'run'>, batch: Batch): Promise<Map<string, NetworkOutput>> =>
    new Promise((resolve, reject) => {
      const ids = Array.from({ length: batch.count }, (_, k) => idOf(batch.pixels, k));
      const leave = (): void => void calls.splice(calls.indexOf(call), 1);
      const call: Call = {
        engine,
        batch,
        ids,
        answer() {
          leave();
          if (ids.some(poisoned)) return reject(new VerydeepError('ENGINE_FAILED', 'poison'));
          const maps = {
            data: Float32Array.from([...ids, ...ids]),
            shape: [2, batch.count, 1, 1, 1] as const,
          };
          const output = { posteriors: Float32Array.from(ids), ...(batch.maps && { maps }) };
          resolve(new Map(batch.networks.map((network) => [network, output])));
        },
        fail(error) {
          leave();
          reject(error);
        },
      };
      calls.push(call);
      sent.push(batch);
    });
  const engines = Array.from({ length: count }, () => {
    const engine: Pick<Engine, 'run'> = { run: (batch) => run(engine, batch) };
    return engine;
  });
  return { calls, sent, engines };
}

type Item = Omit<BatchItem, 'engine'>;

const item = (id: number, changes: Partial<Item> = {}): Item => ({
  client: 'a',
  networks: ['d'],
  pixels: pixelsOf(id),
  count: 1,
  height: 1,
  width: 1,
  flip: true,
  maps: false,
  work: 1,
  ...changes,
});

const never = new AbortController().signal;
setMaxListeners(0, never);
const noDeadline = Number.POSITIVE_INFINITY;

function setUp(
  { devices = 1, ...batching }: Partial<BatchingOptions> & { devices?: number } = {},
  poisoned?: (id: number) => boolean,
) {
  const { calls, sent, engines } = manualEngines(2, poisoned);
  const [engine, other] = engines as [Pick<Engine, 'run'>, Pick<Engine, 'run'>];
  const scheduler = createScheduler({
    devices,
    batching: { batchDelayMs: 5, maxBatchWork: 4, maxQueueWork: 100, ...batching },
  });
  const admit = (work: number, deadline = noDeadline) => scheduler.admit({ work, deadline });
  /** A request of one item. */
  const ask = async (one: Item, signal = never, on = engine): Promise<number> => {
    const reservation = admit(one.work);
    try {
      const { outputs } = await scheduler.run({ ...one, engine: on }, reservation, signal);
      return outputs.get(one.networks[0]!)!.posteriors![0]!;
    } finally {
      reservation.release();
    }
  };
  return { calls, sent, engine, other, scheduler, admit, ask };
}

/** Answers whatever is sent until nothing is. */
async function answerAll(calls: readonly Call[]): Promise<void> {
  while (calls.length > 0) {
    calls[0]!.answer();
    await settled();
  }
}

describe('batches', () => {
  it('never wait while the device is idle', async () => {
    const { calls, ask } = setUp({ batchDelayMs: 1000 });
    const answer = ask(item(7));
    expect(calls).toHaveLength(1);
    calls[0]!.answer();
    expect(await answer).toBe(7);
  });

  it('gather pictures of different requests while the device is busy, and are at hand when it is done', async () => {
    const { calls, ask } = setUp();
    const answers = [1, 2, 3].map((id) => ask(item(id)));
    expect(calls.map(({ ids }) => ids)).toEqual([[1]]);
    await vi.advanceTimersByTimeAsync(4);
    expect(calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls.map(({ ids }) => ids)).toEqual([[1], [2, 3]]);
    for (const call of [...calls]) call.answer();
    expect(await Promise.all(answers)).toEqual([1, 2, 3]);
  });

  it('are sent at once when they are full, and not more than two for a device', async () => {
    const { calls, ask } = setUp();
    const answers = Array.from({ length: 14 }, (_, id) => ask(item(id)));
    expect(calls.map(({ ids }) => ids)).toEqual([[0], [1, 2, 3, 4]]);
    await vi.advanceTimersByTimeAsync(100);
    expect(calls).toHaveLength(2);
    calls[0]!.answer();
    await settled();
    expect(calls.map(({ ids }) => ids)).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    await answerAll(calls);
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 14 }, (_, id) => id));
  });

  it('keep apart what cannot share one, oldest first', async () => {
    const { calls, sent, ask } = setUp({ batchDelayMs: 100 });
    const kinds = [
      item(0),
      item(1),
      item(2, { networks: ['e'] }),
      item(3, { flip: false }),
      item(4, { maps: true }),
      item(5, { height: 1, width: 2, pixels: new Uint8Array([0, 0, 5, 0, 0, 5]) }),
      item(6),
    ];
    const answers: Promise<number>[] = [];
    for (const kind of kinds) {
      answers.push(ask(kind));
      vi.advanceTimersByTime(1);
    }
    await answerAll(calls);
    await Promise.all(answers);
    expect(sent.map(({ pixels, count }) => [idOf(pixels), count])).toEqual([
      [0, 1],
      [1, 2],
      [2, 1],
      [3, 1],
      [4, 1],
      [5, 1],
    ]);
  });

  it('of an item over the bound have no other', async () => {
    const { calls, ask } = setUp();
    const answers = [ask(item(1)), ask(item(2, { work: 9 })), ask(item(3))];
    await vi.advanceTimersByTimeAsync(5);
    calls[0]!.answer();
    await settled();
    expect(calls.map(({ ids }) => ids)).toEqual([[2], [3]]);
    for (const call of [...calls]) call.answer();
    await Promise.all(answers);
  });

  it('have their maps sliced, of every view', async () => {
    const { calls, engine, scheduler, admit } = setUp();
    const answers = [1, 2, 3].map((id) =>
      scheduler.run({ ...item(id, { maps: true }), engine }, admit(1), never),
    );
    await vi.advanceTimersByTimeAsync(5);
    for (const call of [...calls]) call.answer();
    const maps = (await Promise.all(answers)).map(({ outputs }) => outputs.get('d')!.maps!);
    expect(maps.map(({ data }) => [...data])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    expect(maps[2]!.shape).toEqual([2, 1, 1, 1, 1]);
  });
});

describe('two engines on one device', () => {
  it('never share a batch, and take their turns by arrival', async () => {
    const { calls, sent, ask, engine, other } = setUp();
    const answers = [1, 2, 3, 4, 5, 6].map((id) => {
      vi.advanceTimersByTime(1);
      return ask(item(id), never, id % 2 === 0 ? other : engine);
    });
    const order: [Pick<Engine, 'run'>, readonly number[]][] = [];
    while (calls.length > 0) {
      order.push([calls[0]!.engine, calls[0]!.ids]);
      calls[0]!.answer();
      await settled();
    }
    expect(await Promise.all(answers)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(order).toEqual([
      [engine, [1]],
      [other, [2, 4, 6]],
      [engine, [3, 5]],
    ]);
    expect(sent).toHaveLength(3);
  });

  it('have two batches in flight together, and not two each', async () => {
    const { calls, ask, engine, other } = setUp();
    const answers = [1, 2, 3].flatMap((id) => [
      ask(item(id, { work: 4 }), never, engine),
      ask(item(10 + id, { work: 4 }), never, other),
    ]);
    await vi.advanceTimersByTimeAsync(100);
    expect(calls).toHaveLength(2);
    await answerAll(calls);
    await Promise.all(answers);
  });

  it('share one limit', () => {
    const { scheduler, admit, engine, other } = setUp({ maxQueueWork: 10 });
    const one = admit(6);
    const two = admit(4);
    void scheduler.run({ ...item(1, { work: 6 }), engine }, one, never);
    void scheduler.run({ ...item(2, { work: 4 }), engine: other }, two, never);
    expect(() => admit(1)).toThrow(expect.objectContaining({ code: 'QUEUE_FULL' }));
    expect(scheduler.queue()).toEqual({ requests: 2, work: 10, maxWork: 10 });
  });

  it('share one rate: what one has shown, the other is judged by', async () => {
    const { calls, ask, admit, engine, other } = setUp();
    for (let id = 0; id < 5; id++) {
      const answer = ask(item(id), never, engine); // 1 of work in 2 s
      vi.advanceTimersByTime(2000);
      calls[0]!.answer();
      await answer;
    }
    const waiting = ask(item(9, { work: 3 }), never, other);
    expect(() => admit(4, performance.now() + 20_000)).toThrow(
      expect.objectContaining({ code: 'QUEUE_FULL', retryAfterSeconds: 4 }),
    );
    await answerAll(calls);
    await waiting;
  });

  it('are observed apart', async () => {
    const { scheduler, calls, engine, other, admit } = setUp();
    const seen: string[] = [];
    const observer = (name: string) => ({
      stage: (stage: string) => void seen.push(`${name} ${stage}`),
      batch: (pictures: number, work: number) => void seen.push(`${name} ${pictures} of ${work}`),
    });
    const observers = { engine: observer('a'), other: observer('b') };
    const answers = [
      scheduler.run({ ...item(1), engine, observer: observers.engine }, admit(1), never),
      scheduler.run({ ...item(2), engine: other, observer: observers.other }, admit(1), never),
      scheduler.run({ ...item(3), engine: other, observer: observers.other }, admit(1), never),
    ];
    await vi.advanceTimersByTimeAsync(5);
    await answerAll(calls);
    await Promise.all(answers);
    const of = (name: string): string[] => seen.filter((line) => line.startsWith(name)).sort();
    expect(of('a')).toEqual(['a 1 of 1', 'a batch_wait', 'a inference', 'a queue']);
    expect(of('b')).toEqual([
      'b 2 of 2',
      'b batch_wait',
      'b batch_wait',
      'b inference',
      'b inference',
      'b queue',
      'b queue',
    ]);
  });
});

describe('admission', () => {
  it('refuses what would overfill the queue, and says when to come back by the measured rate', async () => {
    const { calls, ask, scheduler, admit } = setUp({ maxQueueWork: 10 });
    const first = ask(item(1, { work: 4 }));
    vi.advanceTimersByTime(8000);
    calls[0]!.answer(); // 0.5 a second
    await first;
    const held = admit(8);
    expect(() => admit(4)).toThrow(
      expect.objectContaining({ code: 'QUEUE_FULL', statusCode: 429, retryAfterSeconds: 4 }),
    );
    expect(scheduler.queue()).toEqual({ requests: 1, work: 8, maxWork: 10 });
    admit(2).release();
    held.release();
    held.release();
    expect(scheduler.queue()).toEqual({ requests: 0, work: 0, maxWork: 10 });
  });

  it('refuses what the measured rate cannot do by its deadline, where others are before it', async () => {
    const { calls, ask, scheduler, admit } = setUp();
    for (let id = 0; id < 5; id++) {
      const answer = ask(item(id)); // 1 of work in 2 s
      vi.advanceTimersByTime(2000);
      calls[0]!.answer();
      await answer;
    }
    const in20s = performance.now() + 20_000;
    admit(50, in20s).release(); // alone: its own deadline is its own matter
    const held = admit(3, in20s);
    admit(2, in20s).release();
    expect(() => admit(4, in20s)).toThrow(
      expect.objectContaining({ code: 'QUEUE_FULL', statusCode: 429, retryAfterSeconds: 4 }),
    );
    held.release();
    expect(scheduler.queue()).toEqual({ requests: 0, work: 0, maxWork: 100 });
  });

  it('does not judge by the first batch', async () => {
    const { calls, ask, admit } = setUp();
    const first = ask(item(1));
    vi.advanceTimersByTime(60_000);
    calls[0]!.answer();
    await first;
    const held = admit(3);
    admit(4, performance.now() + 10_000).release();
    held.release();
  });

  it('takes a request larger than the queue where there is no other', () => {
    const { scheduler, admit } = setUp({ maxQueueWork: 10 });
    const large = admit(50);
    expect(() => admit(1)).toThrow(expect.objectContaining({ retryAfterSeconds: 1 }));
    large.release();
    expect(scheduler.queue().work).toBe(0);
  });
});

describe('work that nobody waits for', () => {
  const gone = new VerydeepError('REQUEST_CANCELLED', 'gone');

  it('is dropped before it runs, at once', async () => {
    const { calls, sent, ask, scheduler } = setUp();
    const controller = new AbortController();
    const first = ask(item(1));
    const dropped = ask(item(2), controller.signal);
    controller.abort(gone);
    await expect(dropped).rejects.toBe(gone);
    expect(scheduler.queue()).toMatchObject({ requests: 1, work: 1 });
    await vi.advanceTimersByTimeAsync(100);
    calls[0]!.answer();
    expect(await first).toBe(1);
    await settled();
    expect(sent).toHaveLength(1);
    await expect(ask(item(3), controller.signal)).rejects.toBe(gone);
    expect(scheduler.queue()).toMatchObject({ requests: 0, work: 0 });
  });

  it('stays in the books while it runs, though its caller is told at once', async () => {
    const { calls, ask, scheduler } = setUp();
    const controller = new AbortController();
    const dropped = ask(item(1), controller.signal);
    controller.abort(gone);
    await expect(dropped).rejects.toBe(gone);
    expect(scheduler.queue()).toMatchObject({ requests: 1, work: 1 });
    calls[0]!.answer();
    await settled();
    expect(scheduler.queue()).toMatchObject({ requests: 0, work: 0 });
  });
});

describe('a batch that fails', () => {
  it('is tried in halves, so that only the guilty picture fails', async () => {
    const { calls, ask } = setUp({ maxBatchWork: 100 }, (id) => id === 5);
    const answers = Promise.allSettled(Array.from({ length: 9 }, (_, id) => ask(item(id))));
    await vi.advanceTimersByTimeAsync(5);
    await answerAll(calls);
    (await answers).forEach((result, id) => {
      if (id === 5) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ENGINE_FAILED' } });
      else expect(result).toEqual({ status: 'fulfilled', value: id });
    });
  });

  it('with a lost engine is not tried again: the pool has done that', async () => {
    const { calls, sent, ask, scheduler } = setUp();
    const answers = Promise.allSettled([1, 2, 3].map((id) => ask(item(id))));
    await vi.advanceTimersByTimeAsync(5);
    const lost = new VerydeepError('ENGINE_LOST', 'lost');
    for (const call of [...calls]) call.fail(lost);
    for (const answer of await answers) expect(answer).toEqual({ status: 'rejected', reason: lost });
    expect(sent).toHaveLength(2);
    expect(scheduler.queue()).toMatchObject({ requests: 0, work: 0 });
    const next = ask(item(4));
    calls[0]!.answer();
    expect(await next).toBe(4);
  });
});

describe('any schedule', () => {
  interface Ask {
    readonly kind: number;
    readonly engine: number;
    readonly work: number;
  }
  type Event =
    | { readonly type: 'ask'; readonly items: readonly Ask[] }
    | { readonly type: 'abort' | 'complete'; readonly which: number }
    | { readonly type: 'wait'; readonly ms: number };
  const one = fc.record({ kind: fc.nat(2), engine: fc.nat(1), work: fc.integer({ min: 1, max: 12 }) });
  const event: fc.Arbitrary<Event> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant('ask' as const),
        items: fc.array(one, { minLength: 1, maxLength: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('abort' as const), which: fc.nat(30) }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('complete' as const), which: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.nat(8) }) },
  );

  it('answers each item once, with its own answer, within all bounds, and with exact books', async () => {
    const schedule = fc.record({
      devices: fc.integer({ min: 1, max: 3 }),
      poison: fc.integer({ min: 3, max: 20 }),
      events: fc.array(event, { maxLength: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(schedule, async ({ devices, poison, events }) => {
        const isPoisoned = (id: number): boolean => id % poison === 0;
        const bounds = { devices, maxBatchWork: 10, maxQueueWork: 40 };
        const { calls, sent, scheduler, admit, ...set } = setUp(bounds, isPoisoned);
        const engines = [set.engine, set.other];
        interface Asked {
          readonly id: number;
          readonly engine: number;
          readonly work: number;
          readonly controller: AbortController;
          outcome?: number | string;
          outcomes: number;
        }
        const asked: Asked[] = [];
        const requests: AbortController[] = [];

        const ask = (items: readonly Ask[]): void => {
          const work = items.reduce((sum, entry) => sum + entry.work, 0);
          const before = scheduler.queue();
          let reservation: ReturnType<typeof admit>;
          try {
            reservation = admit(work);
          } catch (error) {
            expect(error).toMatchObject({ code: 'QUEUE_FULL' });
            expect(before.requests > 0 && before.work + work > bounds.maxQueueWork).toBe(true);
            return;
          }
          const controller = new AbortController();
          requests.push(controller);
          const runs = items.map(async ({ kind, engine, work }) => {
            const entry: Asked = { id: asked.length + 1, engine, work, controller, outcomes: 0 };
            asked.push(entry);
            const own = { ...item(entry.id, { work, networks: [`n${kind}`] }), engine: engines[engine]! };
            try {
              const { outputs } = await scheduler.run(own, reservation, controller.signal);
              entry.outcome = outputs.get(`n${kind}`)!.posteriors![0]!;
            } catch (error) {
              entry.outcome = (error as VerydeepError).code;
            }
            entry.outcomes++;
          });
          void Promise.all(runs).then(() => reservation.release());
        };

        const check = (): void => {
          expect(calls.length).toBeLessThanOrEqual(2 * devices);
          for (const { engine, batch, ids } of calls) {
            for (const id of ids) expect(engines[asked[id - 1]!.engine]).toBe(engine);
            const works = ids.map((id) => asked[id - 1]!.work);
            expect(works.length === 1 || works.reduce((a, b) => a + b) <= bounds.maxBatchWork).toBe(true);
            expect(new Set(ids).size).toBe(batch.count);
          }
          const sum = (entries: Asked[]): number => entries.reduce((total, entry) => total + entry.work, 0);
          const open = asked.filter(({ outcome }) => outcome === undefined);
          const inEngine = new Set(calls.flatMap(({ ids }) => ids));
          const running = asked.filter(
            ({ id, outcome }) => outcome === 'REQUEST_CANCELLED' && inEngine.has(id),
          );
          const wasSent = new Set(
            sent.flatMap(({ pixels, count }) => Array.from({ length: count }, (_, k) => idOf(pixels, k))),
          );
          const held = asked.filter(({ id, outcome }) => outcome === 'REQUEST_CANCELLED' && wasSent.has(id));
          const { work } = scheduler.queue();
          // Cancelled items leave when their batch is done; halves of a failed one wait for each other.
          expect(work).toBeGreaterThanOrEqual(sum(open) + sum(running));
          expect(work).toBeLessThanOrEqual(sum(open) + sum(held));
        };

        for (const step of events) {
          if (step.type === 'ask') ask(step.items);
          else if (step.type === 'wait') await vi.advanceTimersByTimeAsync(step.ms);
          else if (step.type === 'complete') calls[step.which % Math.max(1, calls.length)]?.answer();
          else
            requests[step.which % Math.max(1, requests.length)]?.abort(
              new VerydeepError('REQUEST_CANCELLED', ''),
            );
          await settled();
          check();
        }
        while (calls.length > 0) {
          calls[0]!.answer();
          await vi.advanceTimersByTimeAsync(5);
          check();
        }
        for (const { id, outcome, outcomes, controller } of asked) {
          expect(outcomes).toBe(1);
          if (controller.signal.aborted && outcome === 'REQUEST_CANCELLED') continue;
          expect(outcome).toBe(isPoisoned(id) ? 'ENGINE_FAILED' : id);
        }
        expect(scheduler.queue()).toMatchObject({ requests: 0, work: 0 });
        expect(vi.getTimerCount()).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
