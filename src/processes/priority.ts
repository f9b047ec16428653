import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Lets this process, and those that it starts, give way to the service, and still get a tenth of a busy core. */
export function useLowPriority(): void {
  setPriority(10);
}

/**
 * Lets this process, and those that it starts, compute only while nobody else wants the processor: the lowest priority,
 * and on Linux the scheduling class SCHED_IDLE, which gives way at once where a low priority still gets its share.
 */
export async function useIdleTimeOnly(): Promise<void> {
  setPriority(19);
  if (process.platform !== 'linux') return;
  const { default: koffi } = await import('koffi');
  const libc = koffi.load(null);
  const parameter = koffi.struct({ sched_priority: 'int' });
  const schedule = libc.func('sched_setscheduler', 'int', ['int', 'int', koffi.pointer(parameter)]);
  const idle = 5;
  // Linux schedules threads, not processes; those to come inherit it from the one that starts them.
  for (const thread of readdirSync('/proc/self/task')) schedule(Number(thread), idle, { sched_priority: 0 });
}
