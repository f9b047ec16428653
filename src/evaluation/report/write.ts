import { constants, existsSync } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, VerydeepError } from '../../errors.ts';
import { ownImageLimits } from '../../image/limits.ts';
import { writeDurably } from '../../safetensors/safetensors.ts';
import type { Evaluation } from '../evaluation.ts';
import { renderReport } from './report.ts';

/**
 * Makes the folder of a report, so that what cannot be written is known before hours of measuring. Throws INVALID_OPTION.
 */
export async function prepareReport(path: string): Promise<void> {
  let reason = 'a folder';
  try {
    await mkdir(dirname(path), { recursive: true });
    await access(dirname(path), constants.W_OK);
    if (!existsSync(path) || !(await stat(path)).isDirectory()) return;
  } catch (error) {
    reason = messageOf(error);
  }
  throw new VerydeepError(
    'INVALID_OPTION',
    `--html: expected a file that can be written, received ${path}: ${reason}`,
  );
}

/** Writes the report of an evaluation that has just ended. `command` is what made it. Throws DISK_FULL. */
export async function writeReport(path: string, evaluation: Evaluation, command: string): Promise<void> {
  const report = await renderReport(evaluation, { command, time: new Date(), limits: ownImageLimits });
  await writeDurably(path, report);
}
