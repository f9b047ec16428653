import type { Progress } from '../training/events.ts';
import type { ProcessEvent } from './job.ts';

/** An event of the process, and when it arrived (ISO 8601). */
export interface TimedEvent {
  readonly time: string;
  readonly event: ProcessEvent;
}

/** To be stored. The same number may come again: it is stored once. */
export interface Report {
  /** Counted from 1. */
  readonly number: number;
  readonly events: readonly TimedEvent[];
  readonly progress?: Progress;
}

/** Events of a run in their order, until they are known to be stored. */
export interface Outbox {
  add(event: TimedEvent): void;
  /** All events that wait, or those of the report that is not known to be stored, again. */
  report(progress: Progress | undefined): Report;
  /** The report is stored. */
  stored(): void;
  /** Whether everything is known to be stored. */
  isEmpty(): boolean;
}

/** Beyond `maxWaiting` events steps are left out. */
export function createOutbox(maxWaiting: number): Outbox {
  /** Those of `report`, if any, come first. */
  const waiting: TimedEvent[] = [];
  let report: Report | undefined;
  let reports = 0;
  return {
    add(timed) {
      if (timed.event.type !== 'step' || waiting.length < maxWaiting) waiting.push(timed);
    },
    report(progress) {
      report ??= { number: ++reports, events: [...waiting], ...(progress && { progress }) };
      return report;
    },
    stored() {
      waiting.splice(0, report?.events.length ?? 0);
      report = undefined;
    },
    isEmpty: () => report === undefined && waiting.length === 0,
  };
}
