import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobEvent } from '../../../src/jobs/job.ts';
import { eventStream } from '../../../src/server/jobs/event-stream.ts';
import { deferred } from '../../deferred.ts';

const event = (sequence: number, data = {}): JobEvent => ({ sequence, time: 'T', type: 'step', data });
const open = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a stream of events', () => {
  it('is the text that the standard says', async () => {
    async function* events() {
      yield event(7, { loss: 0.5, message: 'two\nlines' });
      yield event(8);
    }
    const texts: string[] = [];
    for await (const text of eventStream(events(), open, 1000)) texts.push(text);
    expect(texts).toEqual([
      'retry: 2000\n\n',
      'id: 7\nevent: step\ndata: {"time":"T","loss":0.5,"message":"two\\nlines"}\n\n',
      'id: 8\nevent: step\ndata: {"time":"T"}\n\n',
    ]);
  });

  it('has a comment line for every time without an event, and loses none', async () => {
    const first = deferred<JobEvent>();
    async function* events() {
      yield await first.promise;
    }
    const texts = eventStream(events(), open, 1000);
    await texts.next();
    for (let i = 0; i < 3; i++) {
      const next = texts.next();
      await vi.advanceTimersByTimeAsync(1000);
      expect(await next).toEqual({ done: false, value: ': keep-alive\n\n' });
    }
    first.resolve(event(1));
    expect((await texts.next()).value).toContain('id: 1\n');
    expect((await texts.next()).done).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends when its client has left, and fails where the events fail', async () => {
    const left = new AbortController();
    async function* failing() {
      yield event(1);
      throw new Error('gone');
    }
    const failed = eventStream(failing(), left.signal, 1000);
    await failed.next();
    await failed.next();
    await expect(failed.next()).rejects.toThrow('gone');
    left.abort();
    const ended = eventStream(failing(), left.signal, 1000);
    await ended.next();
    await ended.next();
    expect(await ended.next()).toEqual({ done: true, value: undefined });
  });
});
