import { readFile } from 'node:fs/promises';
import { pMapIterable } from 'p-map';
import { isErrorOf, isVerydeepError, messageOf, VerydeepError } from '../../errors.ts';
import type { ImageResult } from '../../inference/answer.ts';
import type { Inference } from '../../inference/inference.ts';
import { untimed } from '../../inference/lifetime.ts';
import type { InferenceOptions, Task } from '../../inference/options.ts';
import { presentResult } from '../../server/images/present.ts';
import { openInference } from '../../service/local-inference.ts';
import { findImageFiles } from './image-files.ts';
import { parseImageCommand } from './image-options.ts';
import { createProgress } from './progress.ts';
import { createTable } from './results-table.ts';

/** What one file was answered. */
type Row =
  | { readonly name: string; readonly result: ImageResult }
  | { readonly name: string; readonly error: { readonly code: string; readonly message: string } };

/** `verydeep classify` and `verydeep localise`: returns 0, or 1 where a file had an error in its row. */
export async function answerImages(task: Task, argv: readonly string[]): Promise<number> {
  const command = parseImageCommand(task, argv);
  const { paths, fromFolder } = await findImageFiles(command.files);
  if (paths.length === 0) throw new VerydeepError('NO_IMAGE', `no image in ${command.files.join(', ')}`);

  const { ensemble, inference, concurrency, dispose } = await openInference(command);
  try {
    const progress = fromFolder ? createProgress(task, paths.length) : undefined;
    // Where both streams are one terminal, a row must not run into the bar.
    const oneTerminal = process.stdout.isTTY && process.stderr.isTTY;
    const print = progress && oneTerminal ? progress.line : console.log;
    const format = command.json ? jsonLines() : tableLines(task, paths, ensemble.labels);
    for (const line of format.header) print(line);
    let done = 0;
    let failed = 0;
    const rows = pMapIterable(paths, (path) => answer(inference, path, command.inference), { concurrency });
    for await (const row of rows) {
      for (const line of format.lines(row)) print(line);
      if ('error' in row) failed++;
      progress?.update(++done);
    }
    progress?.stop();
    return failed === 0 ? 0 : 1;
  } finally {
    await dispose();
  }
}

// --- helpers ---

async function answer(inference: Inference, path: string, options: InferenceOptions): Promise<Row> {
  try {
    const bytes = await readFile(path).catch((cause: unknown) => {
      throw new VerydeepError('NOT_FOUND', `cannot be read: ${messageOf(cause)}`, { cause });
    });
    const { result } = await inference.run(bytes, options, untimed('verydeep'));
    return { name: path, result };
  } catch (error) {
    // An option that the ensemble refuses is wrong for every file, and what is not coded is a bug.
    if (!isVerydeepError(error) || isErrorOf(error, 'whole')) throw error;
    return { name: path, error: { code: error.code, message: error.message } };
  }
}

interface Format {
  readonly header: readonly string[];
  lines(row: Row): string[];
}

/** Each line is what the service answers for the file in `results`. */
function jsonLines(): Format {
  return {
    header: [],
    lines: (row) => [JSON.stringify('error' in row ? row : presentResult(row.name, row.result))],
  };
}

function tableLines(task: Task, paths: readonly string[], labels: readonly string[]): Format {
  const table = createTable(task, paths, labels);
  return {
    header: [table.header],
    lines: (row) =>
      'error' in row
        ? table.error(row.name, row.error.code, row.error.message)
        : table.result(row.name, row.result),
  };
}
