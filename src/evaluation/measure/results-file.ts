import { appendFileSync, createReadStream, existsSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VerydeepError } from '../../errors.ts';
import { asDiskFull } from '../../files/disk-full.ts';
import { makeFolder } from '../../files/make-folder.ts';
import type { ImageRecord } from './records.ts';

/** Results of images that survive a stop of the process at any instant. */
export interface ResultsFile {
  /** Of the images that were done before, by name; the last one if there are several. */
  readonly records: ReadonlyMap<string, ImageRecord>;
  /** Adds records; they are with the operating system when it returns. Throws DISK_FULL. */
  append(records: readonly ImageRecord[]): void;
}

/** What all results of a file have in common. */
export interface ResultsHeader {
  readonly format: 1;
  /** Hash of everything that decides the results of an image, but for the image. */
  readonly plan: string;
}

const resultsName = 'images.jsonl';

/**
 * Opens `FOLDER/images.jsonl`: a line with the header, then a line an image. A last line that was cut off by a stop is
 * dropped. Throws INVALID_SETTINGS if the results are those of another plan, or a line is no result.
 */
export async function openResultsFile(folder: string, header: ResultsHeader): Promise<ResultsFile> {
  makeFolder(folder);
  const path = join(folder, resultsName);
  const records = new Map<string, ImageRecord>();
  let size = 0; // of all whole lines
  if (existsSync(path)) {
    for await (const line of wholeLines(path)) {
      if (size > 0) {
        const record = parseRecord(line, path);
        records.set(record.name, record);
      } else if (line.toString() !== JSON.stringify(header)) throw otherPlan(path);
      size += line.length + 1;
    }
    await truncate(path, size);
  }
  if (size === 0) await writeFile(path, `${JSON.stringify(header)}\n`);
  return {
    records,
    append(added) {
      const lines = added.map((record) => `${JSON.stringify(record)}\n`).join('');
      try {
        appendFileSync(path, lines);
      } catch (error) {
        throw asDiskFull(error, path, Buffer.byteLength(lines));
      }
    },
  };
}

// --- helpers ---

/** Lines that have an end, without it. */
async function* wholeLines(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path)) {
    rest = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', start)) {
      yield rest.subarray(start, end);
      start = end + 1;
    }
    rest = rest.subarray(start);
  }
}

function parseRecord(line: Buffer, path: string): ImageRecord {
  try {
    return JSON.parse(line.toString());
  } catch (cause) {
    throw new VerydeepError(
      'INVALID_SETTINGS',
      `${path}: expected a line of JSON an image, received "${line.toString().slice(0, 40)}": take another folder`,
      { cause },
    );
  }
}

function otherPlan(path: string): VerydeepError {
  return new VerydeepError(
    'INVALID_SETTINGS',
    `${path}: expected results of the same networks, scales, views and engine; received those of others: take another folder`,
  );
}
