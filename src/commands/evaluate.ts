import { z } from 'zod';
import { writeReport } from '../evaluation/report/report.ts';
import { runEvaluation } from '../evaluation/run.ts';
import { evaluationSettings } from '../evaluation/settings.ts';
import { optionHelp, readCommandLine } from '../options/command-line.ts';
import { optionHints } from '../options/hints.ts';
import { hosts, precision, weights } from '../service/local-options.ts';
import { evaluationTables } from './cli/evaluation-text.ts';
import { prepareFile, prepareFolder } from './cli/prepare-output.ts';
import { createProgress, type Progress } from './cli/progress.ts';

const text = (value: string) => z.string().register(optionHints, { value });

export const evaluateOptions = z.strictObject({
  data: z
    .string('expected a folder')
    .register(optionHints, { value: 'FOLDER' })
    .describe('SPLIT/CLASS/NAME.jpg, boxes in SPLIT/metadata.jsonl.'),
  ensemble: z
    .array(z.string())
    .register(optionHints, { value: 'NAME', repeated: true, defaultText: 'demo, unless there is a --run' })
    .optional()
    .describe('An ensemble, NAME@VERSION for another version than the stable one; may be repeated.'),
  run: z
    .array(z.string())
    .default([])
    .register(optionHints, { value: '[NAME=]RUN', repeated: true })
    .describe('Folder of a finished training; may be repeated. Box networks are measured on boxes.'),
  ...evaluationSettings.shape,
  out: text('FOLDER')
    .optional()
    .describe('Keep results there: after a stop the same command goes on; evaluation.json at the end.'),
  json: z.boolean().default(false).describe('Everything as JSON.'),
  html: text('FILE')
    .optional()
    .describe('Also a report with plots and pictures: one page that needs nothing else.'),
  weights,
  ...hosts,
  precision,
});

export const help = `
verydeep evaluate: compares networks on labelled photographs, in the tables of the paper

Usage: verydeep evaluate --data FOLDER [OPTIONS]

Networks are those of ensembles and of run folders (verydeep train), as many as you like. The tables compare depth, one
and several test scales, mirror images, views, networks together, and box networks: top-1, top-5, and the mean of
the classes' own top-1. Each network sees each picture once, whatever the number of rows.

${optionHelp(evaluateOptions)}

Examples:
  verydeep evaluate --data caltech101 --ensemble demo
  verydeep evaluate --data boxes4 --localise --html report.html
  verydeep evaluate --data photos --run runs/a --run runs/d --run runs/e --view dense,crops,both --out results
  verydeep evaluate --data photos --ensemble mine --ensemble mine@1
`;

export async function run(argv: string[]): Promise<number> {
  const { values } = readCommandLine(evaluateOptions, argv);
  const { ensemble, run: runs, html, json, ...settings } = values;
  if (html !== undefined) await prepareFile('--html', html);
  if (settings.out !== undefined) await prepareFolder('--out', settings.out);
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  let bar: Progress | undefined;
  try {
    const evaluation = await runEvaluation({
      ...settings,
      ensembles: ensemble ?? (runs.length > 0 ? [] : ['demo']),
      runs,
      onProgress({ images, done, imagesPerSecond }) {
        bar ??= createProgress('evaluate', images);
        bar.update(done, `${imagesPerSecond.toFixed(1)} images/s`);
      },
      signal: controller.signal,
    });
    bar?.stop();
    if (evaluation === undefined) {
      console.error(
        settings.out ? 'stopped: the same command goes on' : 'stopped: with --out it would go on',
      );
      return 1;
    }
    console.log(json ? JSON.stringify(evaluation, null, 2) : evaluationTables(evaluation));
    if (html !== undefined) {
      await writeReport(html, evaluation, `verydeep evaluate ${argv.join(' ')}`);
    }
    return 0;
  } finally {
    bar?.stop();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}
