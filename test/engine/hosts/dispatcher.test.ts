import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDispatcher } from '../../../src/engine/hosts/dispatcher.ts';

function createLane() {
  const lane = { up: true, inFlight: 0, isReady: () => lane.up };
  return lane;
}

describe('dispatcher', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('gives each batch the least loaded lane', async () => {
    const [a, b] = [createLane(), createLane()];
    const { enter, leave } = createDispatcher([a, b], 1000);
    expect(await enter()).toBe(a);
    expect(await enter()).toBe(b);
    expect(await enter()).toBe(a);
    leave(a);
    leave(a);
    expect(await enter()).toBe(a);
    expect([a.inFlight, b.inFlight]).toEqual([1, 1]);
  });

  it('puts no more than two batches on a lane, the others wait in order', async () => {
    const a = createLane();
    const { enter, leave } = createDispatcher([a], 1000);
    const order: number[] = [];
    const entered = [0, 1, 2, 3].map((i) => enter().then(() => order.push(i)));
    await Promise.all(entered.slice(0, 2));
    expect(order).toEqual([0, 1]);
    leave(a);
    leave(a);
    await Promise.all(entered);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  it('passes over a lane that is down, and uses it again when it is back', async () => {
    const [a, b] = [createLane(), createLane()];
    const { enter, update } = createDispatcher([a, b], 1000);
    a.up = false;
    update();
    expect(await enter()).toBe(b);
    a.up = true;
    update();
    expect(await enter()).toBe(a);
  });

  it('refuses who waits and who comes once all lanes were down for long', async () => {
    const a = createLane();
    const { enter, update } = createDispatcher([a], 1000);
    a.up = false;
    update();
    const waiting = expect(enter()).rejects.toMatchObject({ code: 'ENGINE_LOST', statusCode: 503 });
    await vi.advanceTimersByTimeAsync(1000);
    await waiting;
    await expect(enter()).rejects.toMatchObject({ code: 'ENGINE_LOST' });
    a.up = true;
    update();
    expect(await enter()).toBe(a);
  });

  it('gives a lane that is back in time to who waited', async () => {
    const a = createLane();
    const { enter, update } = createDispatcher([a], 1000);
    a.up = false;
    update();
    const waiting = enter();
    await vi.advanceTimersByTimeAsync(999);
    update(); // another failed start does not prolong the wait
    a.up = true;
    update();
    await vi.advanceTimersByTimeAsync(1000);
    expect(await waiting).toBe(a);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('refuses everybody when it is closed', async () => {
    const a = createLane();
    const { enter, close } = createDispatcher([a], 1000);
    await enter();
    await enter();
    const waiting = expect(enter()).rejects.toMatchObject({ code: 'ENGINE_LOST' });
    close();
    await waiting;
    await expect(enter()).rejects.toMatchObject({ code: 'ENGINE_LOST' });
  });

  it('loses nobody, overloads no lane and leaves none idle, whatever happens', async () => {
    const action = fc.oneof(
      fc.constant('enter' as const),
      fc.record({ leave: fc.nat() }),
      fc.record({ toggle: fc.nat() }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.array(action, { maxLength: 60 }),
        async (count, actions) => {
          const lanes = Array.from({ length: count }, createLane);
          const { enter, leave, update } = createDispatcher(lanes, 1000);
          const inside: (typeof lanes)[number][] = [];
          let entered = 0;
          let left = 0;
          for (const step of actions) {
            if (step === 'enter') {
              entered++;
              void enter().then((lane) => inside.push(lane));
            } else if ('leave' in step) {
              const [lane] = inside.splice(step.leave % Math.max(1, inside.length), 1);
              if (lane) {
                leave(lane);
                left++;
              }
            } else {
              const lane = lanes[step.toggle % count]!;
              lane.up = !lane.up;
              update();
            }
            await Promise.resolve();
            const waiting = entered - left - inside.length;
            const free = lanes.filter((lane) => lane.up && lane.inFlight < 2).length;
            expect(waiting === 0 || free === 0).toBe(true);
            for (const lane of lanes) {
              expect(lane.inFlight).toBe(inside.filter((used) => used === lane).length);
              expect(lane.inFlight).toBeLessThanOrEqual(2);
            }
          }
        },
      ),
    );
  });
});
