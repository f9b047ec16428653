/** A learning rate that holds from an epoch on (the first epoch is 1). */
export interface RateChange {
  readonly epoch: number;
  readonly rate: number;
}

/**
 * How the learning rate falls. `plateau` is the paper's (3.1): divided by ten when validation has not improved for
 * `patience` epochs, at most three times. `steps` are given beforehand.
 */
export type Schedule =
  | { readonly kind: 'plateau'; readonly rate: number; readonly patience: number }
  | { readonly kind: 'steps'; readonly changes: readonly RateChange[] };

/** What a schedule remembers between epochs; part of a checkpoint. */
export interface ScheduleState {
  readonly drops: number;
  /** Best validation accuracy so far, and the epochs since then or since the last drop. */
  readonly best: number;
  readonly epochsWithoutImprovement: number;
}

export const initialScheduleState: ScheduleState = { drops: 0, best: -1, epochsWithoutImprovement: 0 };

/** Paper, 3.1: "in total, the learning rate was decreased 3 times". */
const maxDrops = 3;

/** Learning rate of an epoch. */
export function learningRate(schedule: Schedule, epoch: number, state: ScheduleState): number {
  if (schedule.kind === 'plateau') return schedule.rate / 10 ** state.drops;
  return schedule.changes.findLast((change) => change.epoch <= epoch)!.rate;
}

/** The state after an epoch that was validated with `accuracy`. */
export function afterValidation(schedule: Schedule, state: ScheduleState, accuracy: number): ScheduleState {
  if (accuracy > state.best) return { ...state, best: accuracy, epochsWithoutImprovement: 0 };
  const waited = state.epochsWithoutImprovement + 1;
  const drop = schedule.kind === 'plateau' && waited >= schedule.patience && state.drops < maxDrops;
  return {
    ...state,
    drops: state.drops + (drop ? 1 : 0),
    epochsWithoutImprovement: drop ? 0 : waited,
  };
}

/**
 * Reads `0.01` (plateau with the given patience) or `0.01,60:0.001,100:1e-4` (0.01 at first, 0.001 from epoch 60 on): the
 * text of a setting, which was checked. Throws RangeError for another one.
 */
export function parseSchedule(text: string, patience: number): Schedule {
  const changes = readRates(text);
  if (changes === undefined)
    throw new RangeError(`expected a learning rate; received ${JSON.stringify(text)}`);
  const [first] = changes;
  return changes.length === 1 && first
    ? { kind: 'plateau', rate: first.rate, patience }
    : { kind: 'steps', changes };
}

/** The rates of such a text, the first one from epoch 1; undefined if it is none. */
export function readRates(text: string): RateChange[] | undefined {
  const changes = text.split(',').map((part, i): RateChange => {
    const [epoch, rate, ...rest] = i === 0 && !part.includes(':') ? ['1', part] : part.split(':');
    const isWhole = rest.length === 0 && epoch?.trim() !== '' && rate?.trim() !== '';
    return isWhole ? { epoch: Number(epoch), rate: Number(rate) } : { epoch: Number.NaN, rate: Number.NaN };
  });
  const isRising = changes.every(({ epoch }, i) => epoch > (changes[i - 1]?.epoch ?? 0));
  const isCourse = changes.every(({ epoch, rate }) => Number.isInteger(epoch) && rate > 0 && rate < 10);
  return isRising && isCourse && changes[0]!.epoch === 1 ? changes : undefined;
}
