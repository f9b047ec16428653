import { VerydeepError } from '../errors.ts';

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
 * Reads `0.01` (plateau with the given patience) or `0.01,60:0.001,100:1e-4` (0.01 at first, 0.001 from epoch 60 on).
 * Throws INVALID_SETTINGS.
 */
export function parseSchedule(text: string, patience: number): Schedule {
  const invalidRate = (): VerydeepError =>
    new VerydeepError(
      'INVALID_SETTINGS',
      `expected a learning rate like 0.01 or 0.01,60:0.001,100:0.0001 (epochs rising), received ${JSON.stringify(text)}`,
    );
  const changes = text.split(',').map((part, i) => {
    const [epoch, rate] = i === 0 && !part.includes(':') ? [1, Number(part)] : part.split(':').map(Number);
    if (epoch === undefined || rate === undefined || !Number.isInteger(epoch) || !(rate > 0 && rate < 10))
      throw invalidRate();
    return { epoch, rate };
  });
  if (changes[0]!.epoch !== 1 || changes.some(({ epoch }, i) => i > 0 && epoch <= changes[i - 1]!.epoch))
    throw invalidRate();
  if (changes.length > 1) return { kind: 'steps', changes };
  return { kind: 'plateau', rate: changes[0]!.rate, patience };
}
