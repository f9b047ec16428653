import { describe, expect, it } from 'vitest';
import type { VerydeepError } from '../../../src/errors.ts';
import { createPlaces, type Guest } from '../../../src/server/images/places.ts';

function setUp(maxRequests: number) {
  let nowMs = 0;
  const places = createPlaces({ maxRequests, now: () => nowMs });
  const evicted: [string, VerydeepError][] = [];
  /** A guest that has received so many bytes. */
  const guest = (name: string, bytes = 0, changes: Partial<Guest> = {}): Guest => ({
    address: name,
    receivedBytes: () => bytes,
    isReceived: () => false,
    evict: (reason) => void evicted.push([name, reason]),
    ...changes,
  });
  const wait = (ms: number): void => {
    nowMs += ms;
  };
  return { places, evicted, guest, wait };
}

describe('places', () => {
  it('are so many and no more, and come back', () => {
    const { places, guest } = setUp(2);
    const leave = places.enter(guest('a'));
    places.enter(guest('b'));
    expect(() => places.enter(guest('c'))).toThrow(
      expect.objectContaining({ code: 'QUEUE_FULL', retryAfterSeconds: 1 }),
    );
    leave();
    places.enter(guest('c'));
  });

  it('are taken from the slowest sender when all are taken', () => {
    const { places, evicted, guest, wait } = setUp(3);
    places.enter(guest('fast', 100_000));
    places.enter(guest('slow', 50));
    places.enter(guest('slower', 10));
    wait(1000);
    places.enter(guest('next'));
    expect(evicted).toEqual([
      [
        'slower',
        expect.objectContaining({ code: 'REQUEST_TIMEOUT', message: expect.stringContaining('received 10') }),
      ],
    ]);
    places.enter(guest('another'));
    expect(evicted.map(([name]) => name)).toEqual(['slower', 'slow']);
    expect(() => places.enter(guest('last'))).toThrow('at most 3 requests');
  });

  it('are kept by those whose request is there, who have just begun, or are fast enough', () => {
    const { places, evicted, guest, wait } = setUp(3);
    places.enter(guest('there', 1, { isReceived: () => true }));
    places.enter(guest('fast', 20_000));
    wait(2000); // 10,000 bytes a second
    places.enter(guest('new'));
    wait(999);
    const refused = () => places.enter(guest('next'));
    expect(refused).not.toThrow(); // the fast one has received nothing since, and is the slow one now
    expect(evicted.map(([name]) => name)).toEqual(['fast']);
    expect(refused).toThrow();
  });

  it('are at most half taken by slow uploads from one address, whose own next request gets one', () => {
    const { places, evicted, guest, wait } = setUp(4);
    const from = (name: string): Guest => guest(name, 5, { address: '10.0.0.1' });
    for (const name of ['a', 'b']) places.enter(from(name));
    wait(1500);
    places.enter(guest('other'));
    expect(evicted).toEqual([]);
    places.enter(from('c'));
    expect(evicted.map(([name]) => name)).toEqual(['a']);
  });
});
