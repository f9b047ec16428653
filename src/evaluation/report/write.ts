import { writeDurably } from '../../files/durable.ts';
import { ownImageLimits } from '../../image/limits.ts';
import type { Evaluation } from '../evaluation.ts';
import { renderReport } from './report.ts';

/** Writes the report of an evaluation that has just ended. `command` is what made it. Throws DISK_FULL. */
export async function writeReport(path: string, evaluation: Evaluation, command: string): Promise<void> {
  const report = await renderReport(evaluation, { command, time: new Date(), limits: ownImageLimits });
  await writeDurably(path, report);
}
