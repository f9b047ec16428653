import { expect, it } from 'vitest';
import { withOwnReason } from '../../src/image/own-reason.ts';
import { deferred } from '../deferred.ts';

/** A task whose runs fail when they are told to, and what ran beside what. */
function failing(name: string, log: string[], running: Set<string>) {
  const runs: { fail(): void }[] = [];
  const task = async (): Promise<never> => {
    log.push([name, ...running].join(' beside '));
    running.add(name);
    const end = deferred();
    runs.push({ fail: () => end.resolve() });
    await end.promise;
    running.delete(name);
    throw new Error(`reason of ${name}`);
  };
  return { task, runs };
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

it('runs a task that fails alone once', async () => {
  const { task, runs } = failing('a', [], new Set());
  const result = withOwnReason('jpeg', task);
  await turns();
  runs[0]!.fail();
  await expect(result).rejects.toThrow('reason of a');
  expect(runs).toHaveLength(1);
});

it('runs tasks that fail beside others once more, one at a time, and nobody new meanwhile', async () => {
  const log: string[] = [];
  const running = new Set<string>();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => failing(name, log, running));
  const results = [a, b].map((each) => withOwnReason('jpeg', each!.task));
  await turns();
  a!.runs[0]!.fail(); // its second run waits for b
  await turns();
  results.push(withOwnReason('jpeg', c!.task)); // comes while one is to run alone
  await turns();
  b!.runs[0]!.fail();
  await turns();
  a!.runs[1]!.fail();
  await turns();
  b!.runs[1]!.fail();
  await turns();
  c!.runs[0]!.fail();
  const reasons = await Promise.allSettled(results);
  expect(reasons.map((each) => (each as PromiseRejectedResult).reason.message)).toEqual(
    ['a', 'b', 'c'].map((name) => expect.stringContaining(`reason of ${name}`)),
  );
  expect(log).toEqual(['a', 'b beside a', 'a', 'b', 'c']);
});
