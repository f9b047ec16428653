import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TimedEvent } from '../../src/jobs/outbox.ts';
import { createJobRun, type JobRun, type RunAction } from '../../src/jobs/run.ts';

const time = '2026-01-31T12:00:00.000Z';
const step = (n: number): TimedEvent => ({
  time,
  event: {
    type: 'step',
    epoch: 1,
    step: n,
    steps: 9,
    imagesPerSecond: 10,
    etaSeconds: 1,
    loss: 1 / n,
    rate: 0.1,
  },
});
const checkpoint = (n: number): TimedEvent => ({
  time,
  event: { type: 'checkpoint', epoch: 1, step: n, digest: 'sha256:0', seconds: 0.5 },
});
const done = {
  type: 'done',
  result: { ensemble: 'mine', version: '1', digest: 'sha256:0', metrics: {} },
} as const;
const started = (options = {}): JobRun => createJobRun({ id: 'a', type: 'train', ...options });
const namesOf = (actions: readonly RunAction[]) => actions.map(({ type }) => type);
const report = (number: number, events: readonly TimedEvent[] = []): RunAction => ({
  type: 'report',
  report: { number, events },
});

describe('a run', () => {
  it('reports at once, then by the clock, and settles when the process has gone', () => {
    const run = started();
    expect(run.due()).toEqual([report(1)]);
    expect(run.event(checkpoint(1))).toEqual([]);
    expect(run.reported(false)).toEqual([{ type: 'wait' }]);
    expect(run.due()).toEqual([report(2, [checkpoint(1)])]);
    expect(run.reported(false)).toEqual([{ type: 'wait' }]);
    expect(run.ending(done)).toEqual([{ type: 'grace' }]);
    run.event(checkpoint(2));
    expect(run.gone('exited with code 0')).toEqual([report(3, [checkpoint(2)])]);
    expect(run.reported(false)).toEqual([{ type: 'settle', outcome: done, stopping: false }]);
    expect(run.settled()).toEqual([{ type: 'end' }]);
  });

  it('says how far it is', () => {
    const run = started();
    run.due();
    run.event(checkpoint(1));
    run.event(step(2));
    run.reported(false);
    const progress = { epoch: 1, step: 2, steps: 9, imagesPerSecond: 10, etaSeconds: 1 };
    expect(run.state()).toEqual({
      id: 'a',
      type: 'train',
      progress,
      loss: 0.5,
      checkpoint: { savedAtMs: Date.parse(time), seconds: 0.5 },
    });
    const { loss: _, rate: __, ...evaluated } = { loss: 0, rate: 0, ...progress, step: 3 };
    run.event({ time, event: { type: 'step', ...evaluated } });
    expect(run.due()).toEqual([
      {
        type: 'report',
        report: { number: 2, events: [checkpoint(1), step(2), expect.anything()], progress: evaluated },
      },
    ]);
  });

  it('sends a report again, the same one, and then what came meanwhile', () => {
    const run = started();
    run.due();
    run.reported(false);
    run.event(checkpoint(1));
    const first = run.due();
    run.event(checkpoint(2));
    expect(run.failed()).toEqual([{ type: 'wait' }]);
    expect(run.due()).toEqual(first);
    expect(run.reported(false)).toEqual([{ type: 'wait' }]);
    expect(run.due()).toEqual([report(3, [checkpoint(2)])]);
  });

  it('is not asked twice at once', () => {
    const run = started();
    run.due();
    expect([...run.due(), ...run.due()]).toEqual([]);
  });

  it('tells the process of a cancelling once, and kills it when its time is over', () => {
    const run = started();
    run.due();
    expect(namesOf(run.reported(true))).toEqual(['stop', 'grace', 'wait']);
    run.due();
    expect(namesOf(run.reported(true))).toEqual(['wait']);
    expect(run.stop()).toEqual([]);
    const outcome = { type: 'crashed', reason: 'was ended by SIGKILL' };
    expect(run.graceOver()).toEqual([{ type: 'kill' }, { type: 'settle', outcome, stopping: true }]);
    expect(run.settled()).toEqual([]); // the process is not buried yet
    expect(run.gone('was ended by SIGKILL')).toEqual([{ type: 'end' }]);
  });

  it('takes the first word on its end, and hears no more of a process once it settles', () => {
    const run = started();
    run.due();
    run.reported(false);
    run.ending(done);
    expect(run.ending({ type: 'stopped' })).toEqual([]);
    const settle = { type: 'settle', outcome: done, stopping: false };
    expect(run.graceOver()).toEqual([{ type: 'kill' }, settle]);
    expect(run.event(step(1))).toEqual([]); // it was on its way when the process was killed
    expect(run.failed()).toEqual([{ type: 'wait' }]);
    expect(run.due()).toEqual([settle]);
    expect(run.settled()).toEqual([]);
    expect(run.gone('was ended by SIGKILL')).toEqual([{ type: 'end' }]);
  });

  it('settles a process that was killed as killed, however it is found later', () => {
    const run = started();
    run.due();
    run.stop();
    expect(run.graceOver()).toEqual([{ type: 'kill' }]);
    expect(run.gone('exited with code 0')).toEqual([]);
    expect(run.reported(false)).toMatchObject([{ outcome: { reason: 'was ended by SIGKILL' } }]);
  });

  it('kills a process that says that it is done and does not end, and is done', () => {
    const run = started();
    run.due();
    run.reported(false);
    run.ending(done);
    expect(run.graceOver()).toEqual([{ type: 'kill' }, { type: 'settle', outcome: done, stopping: false }]);
  });

  it('says nothing more once its lease is lost', () => {
    const run = started();
    run.due();
    run.event(step(1));
    expect(run.lost()).toEqual([{ type: 'kill' }]);
    for (const nothing of [run.event(step(2)), run.due(), run.stop(), run.graceOver(), run.ending(done)]) {
      expect(nothing).toEqual([]);
    }
    expect(run.gone('was ended by SIGKILL')).toEqual([{ type: 'end' }]);
  });

  it('gives up without the database when the service stops and the process has gone', () => {
    const run = started();
    run.due();
    expect(namesOf(run.stop())).toEqual(['stop', 'grace']);
    expect(run.gone('exited with code 0')).toEqual([]); // the report that was begun before it
    expect(run.failed()).toEqual([{ type: 'end' }]);
  });

  it('tries at once, and for the last time, when the service stops while the database is away', () => {
    const run = started();
    run.due();
    run.gone('exited with code 1');
    expect(namesOf(run.failed())).toEqual(['wait']);
    expect(namesOf(run.stop())).toEqual(['report']);
    expect(run.failed()).toEqual([{ type: 'end' }]);
  });

  it('leaves out steps, and nothing else, when too much waits', () => {
    const run = started({ maxWaitingEvents: 2 });
    run.due();
    run.failed();
    for (const event of [step(1), step(2), step(3), checkpoint(3), step(4)]) run.event(event);
    run.due();
    run.reported(false);
    expect(run.due()).toMatchObject([{ report: { events: [step(1), step(2), checkpoint(3)] } }]);
  });
});

describe('whatever happens in whatever order', () => {
  it('no event is lost, none stored twice, the job settled once, and the process ended', () => {
    const seen = new Set<string>();
    const history = fc.array(fc.constantFrom(...happenings), { maxLength: 40 });
    const property = fc.property(history, fc.boolean(), (names, obeys) => {
      const world = createWorld();
      for (const name of names) world.happen(name);
      if (obeys) for (const name of ['end', 'die'] as const) world.happen(name);
      else world.happen('service stops'); // and the process does not listen
      for (let i = 0; !world.ended(); i++) {
        expect(i).toBeLessThan(20);
        for (const name of ['ok', 'time', 'grace is over', 'bury'] as const) world.happen(name);
      }
      const { said, stored, settled, fate } = world.result();
      seen.add(fate);
      expect(stored).toEqual(said.slice(0, stored.length));
      if (fate === 'whole') expect([stored.length, settled]).toEqual([said.length, 1]);
      expect(settled).toBeLessThanOrEqual(1);
    });
    fc.assert(property, { numRuns: 2000, seed: 1 });
    expect([...seen].sort()).toEqual(['given up', 'lost', 'whole']);
  });
});

const happenings = [
  ...['speak', 'speak', 'end', 'die', 'bury'],
  ...['ok', 'ok', 'cancel', 'fail', 'fail but store', 'lose'],
  ...['time', 'grace is over', 'report now', 'service stops'],
] as const;

type Happening = (typeof happenings)[number];

/** A process, a database and two clocks around a run. */
function createWorld() {
  const run = started();
  let process: 'alive' | 'killed' | 'gone' = 'alive';
  let endingSaid = false;
  let isStopping = false;
  let clock = false;
  let grace: 'idle' | 'runs' | 'over' = 'idle';
  let asked: Extract<RunAction, { type: 'report' | 'settle' }> | undefined;
  let reports = 0;
  let settled = 0;
  let ended = false;
  let fate: 'whole' | 'lost' | 'given up' = 'whole';
  const said: TimedEvent[] = [];
  const stored: TimedEvent[] = [];

  function perform(actions: readonly RunAction[]): void {
    for (const action of actions) {
      expect(ended).toBe(false);
      switch (action.type) {
        case 'report':
        case 'settle':
          expect(asked).toBeUndefined(); // one question at a time
          expect(fate).toBe('whole'); // a lost lease says nothing more
          if (action.type === 'settle') expect(process).not.toBe('alive');
          asked = action;
          clock = false; // as the driver does it
          break;
        case 'wait':
          clock = true;
          break;
        case 'stop':
          expect(process).toBe('alive');
          break;
        case 'grace':
          expect(grace).toBe('idle');
          grace = 'runs';
          break;
        case 'kill':
          expect(process).toBe('alive');
          process = 'killed';
          break;
        case 'end':
          expect(process).toBe('gone');
          ended = true;
      }
    }
  }

  function store(action: NonNullable<typeof asked>): void {
    if (action.type === 'settle') settled = 1;
    else if (action.report.number > reports) {
      reports = action.report.number;
      stored.push(...action.report.events);
    }
  }

  function answer(action: NonNullable<typeof asked>, how: Happening): RunAction[] {
    asked = undefined;
    if (how === 'fail' || how === 'fail but store') {
      if (how === 'fail but store') store(action);
      const actions = run.failed();
      if (actions.every(({ type }) => type !== 'wait')) {
        expect([isStopping, process]).toEqual([true, expect.not.stringMatching('alive')]);
        fate = 'given up';
      }
      return actions;
    }
    if (action.type === 'report' && (how === 'lose' || settled === 1)) {
      fate = 'lost';
      return run.lost();
    }
    store(action);
    return action.type === 'settle' ? run.settled() : run.reported(how === 'cancel');
  }

  /** What is done next, or nothing if this cannot happen now. */
  function happening(name: Happening): RunAction[] {
    switch (name) {
      case 'speak': {
        if (process !== 'alive' || endingSaid) return [];
        const event = said.length % 3 === 2 ? checkpoint(said.length) : step(said.length + 1);
        said.push(event);
        return run.event(event);
      }
      case 'end':
        if (process !== 'alive' || endingSaid) return [];
        endingSaid = true;
        return run.ending(done);
      case 'die':
      case 'bury':
        if (process === 'gone' || (name === 'bury' && process === 'alive')) return [];
        process = 'gone';
        return run.gone('exited with code 0');
      case 'time':
        if (!clock) return [];
        clock = false;
        return run.due();
      case 'grace is over':
        if (grace !== 'runs') return [];
        grace = 'over';
        return run.graceOver();
      case 'report now':
        return run.due();
      case 'service stops':
        isStopping = true;
        return run.stop();
      default:
        return asked === undefined ? [] : answer(asked, name);
    }
  }

  perform(run.due());
  return {
    happen: (name: Happening) => perform(happening(name)),
    ended: () => ended,
    result: () => ({ said, stored, settled, fate }),
  };
}
