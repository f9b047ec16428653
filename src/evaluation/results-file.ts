import { appendFileSync, existsSync, truncateSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VerydeepError } from '../errors.ts';
import type { ImageRecord } from './records.ts';

/** Results of images that survive a stop of the process at any instant. */
export interface ResultsFile {
  /** Of the images that were done before, by name; the last one where there are several. */
  readonly records: ReadonlyMap<string, ImageRecord>;
  /** Adds records; they are with the operating system when it returns. */
  append(records: readonly ImageRecord[]): void;
}

/** What all results of a file have in common. */
export interface ResultsHeader {
  readonly format: 1;
  /** Hash of everything that decides the results of an image, but for the image. */
  readonly plan: string;
}

export const resultsName = 'images.jsonl';

/**
 * Opens `FOLDER/images.jsonl`: a line with the header, then a line an image. A last line that was cut off by a stop is
 * dropped. Throws INVALID_SETTINGS where the results are those of another plan.
 */
export async function openResultsFile(folder: string, header: ResultsHeader): Promise<ResultsFile> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, resultsName);
  const text = existsSync(path) ? await readFile(path, 'utf8') : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const [first, ...lines] = whole.split('\n').slice(0, -1);
  if (first === undefined) await writeFile(path, `${JSON.stringify(header)}\n`);
  else if (first !== JSON.stringify(header)) throw otherPlan(path);
  else if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
  const records = lines.map((line): ImageRecord => JSON.parse(line));
  return {
    records: new Map(records.map((record) => [record.name, record])),
    append(added) {
      appendFileSync(path, added.map((record) => `${JSON.stringify(record)}\n`).join(''));
    },
  };
}

// --- helpers ---

function otherPlan(path: string): VerydeepError {
  return new VerydeepError(
    'INVALID_SETTINGS',
    `${path}: expected results of the same networks, scales, views and engine; received those of others: take another folder`,
  );
}
