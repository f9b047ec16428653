/** Works on up to `concurrency` items at once and yields the results in the order of the items. */
export async function* inOrder<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = [];
  for (const item of items) {
    if (running.length >= concurrency) yield running.shift()!;
    const result = work(item);
    result.catch(() => {}); // thrown where it is yielded, and not before
    running.push(result);
  }
  yield* running;
}
