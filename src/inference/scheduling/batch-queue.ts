import type { BatchItem, WaitingItem } from './run-batch.ts';
import { createTurns } from './turns.ts';

/** An item that waits for its batch. */
export interface QueuedItem extends WaitingItem {
  /** By `performance.now()`. */
  readonly arrivedMs: number;
}

/** Items that can share a batch, in the order of their turns; never empty. */
export type BatchGroup = readonly QueuedItem[];

/** Items that wait. This is where their order is decided. */
export interface BatchQueue {
  add(item: QueuedItem): void;
  /** Returns false if the item does not wait any more. */
  remove(item: QueuedItem): boolean;
  /** Of the groups that `isEligible`, the one whose first item comes next. */
  next(isEligible?: (group: BatchGroup) => boolean): BatchGroup | undefined;
  /** Takes the first item of a group and those after it that fit into `maxWork` with it. */
  take(group: BatchGroup, maxWork: number): QueuedItem[];
}

/**
 * Items share a batch if they run on one engine, with the same networks and options, and are of one size. Clients have
 * equal shares of the work, and each is served in order of arrival.
 */
export function createBatchQueue(): BatchQueue {
  const groups = new Map<string, QueuedItem[]>();
  const turns = createTurns();
  /** Turns of the items that wait. */
  const turnOf = new WeakMap<QueuedItem, number>();
  const engineNumbers = new WeakMap<object, number>();
  let engines = 0;

  function keyOf({ engine, networks, height, width, flip, maps }: BatchItem): string {
    const number = engineNumbers.get(engine) ?? engines++;
    engineNumbers.set(engine, number);
    return [number, networks.join('+'), height, width, flip, maps].join('|');
  }

  return {
    add(item) {
      const key = keyOf(item);
      const turn = turns.next(item.client, item.work);
      turnOf.set(item, turn);
      const group = groups.get(key);
      if (!group) groups.set(key, [item]);
      else group.splice(group.findLastIndex((other) => turnOf.get(other)! <= turn) + 1, 0, item);
    },
    remove(item) {
      const key = keyOf(item);
      const group = groups.get(key);
      const at = group?.indexOf(item) ?? -1;
      if (!group || at < 0) return false;
      group.splice(at, 1);
      if (group.length === 0) groups.delete(key);
      if (groups.size === 0) turns.reset();
      return true;
    },
    next(isEligible = () => true) {
      let next: BatchGroup | undefined;
      for (const group of groups.values()) {
        const isEarlier = !next || turnOf.get(group[0]!)! < turnOf.get(next[0]!)!;
        if (isEarlier && isEligible(group)) next = group;
      }
      return next;
    },
    take(group, maxWork) {
      const key = keyOf(group[0]!);
      const items = groups.get(key)!;
      let count = 1;
      while (count < items.length && workOf(items.slice(0, count + 1)) <= maxWork) count++;
      const taken = items.splice(0, count);
      turns.reached(turnOf.get(taken[0]!)!);
      if (items.length === 0) groups.delete(key);
      if (groups.size === 0) turns.reset();
      return taken;
    },
  };
}

/** Floating-point operations of all items. */
export function workOf(items: readonly BatchItem[]): number {
  return items.reduce((sum, { work }) => sum + work, 0);
}
