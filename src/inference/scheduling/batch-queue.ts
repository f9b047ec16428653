import type { BatchItem, WaitingItem } from './run-batch.ts';

/** An item that waits for its batch. */
export interface QueuedItem extends WaitingItem {
  /** By `performance.now()`. */
  readonly arrivedMs: number;
}

/** Items that can share a batch, in order of arrival; never empty. */
export type BatchGroup = readonly QueuedItem[];

/** Items that wait. This is where their order is decided. */
export interface BatchQueue {
  add(item: QueuedItem): void;
  /** Returns false if the item does not wait any more. */
  remove(item: QueuedItem): boolean;
  /** Of the groups that `isEligible`, the one whose first item has waited longest. */
  oldest(isEligible?: (group: BatchGroup) => boolean): BatchGroup | undefined;
  /** Takes the first item of a group and those after it that fit into `maxWork` with it. */
  take(group: BatchGroup, maxWork: number): QueuedItem[];
}

/** Items share a batch if they run on one engine, with the same networks and options, and are of one size. */
export function createBatchQueue(): BatchQueue {
  const groups = new Map<string, QueuedItem[]>();
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
      const group = groups.get(key);
      if (group) group.push(item);
      else groups.set(key, [item]);
    },
    remove(item) {
      const key = keyOf(item);
      const group = groups.get(key);
      const at = group?.indexOf(item) ?? -1;
      if (!group || at < 0) return false;
      group.splice(at, 1);
      if (group.length === 0) groups.delete(key);
      return true;
    },
    oldest(isEligible = () => true) {
      let oldest: BatchGroup | undefined;
      for (const group of groups.values()) {
        const isOlder = !oldest || group[0]!.arrivedMs < oldest[0]!.arrivedMs;
        if (isOlder && isEligible(group)) oldest = group;
      }
      return oldest;
    },
    take(group, maxWork) {
      const key = keyOf(group[0]!);
      const items = groups.get(key)!;
      let count = 1;
      while (count < items.length && workOf(items.slice(0, count + 1)) <= maxWork) count++;
      const taken = items.splice(0, count);
      if (items.length === 0) groups.delete(key);
      return taken;
    },
  };
}

/** Floating-point operations of all items. */
export function workOf(items: readonly BatchItem[]): number {
  return items.reduce((sum, { work }) => sum + work, 0);
}
