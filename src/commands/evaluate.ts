import { parseArgs } from 'node:util';
import { engineNames } from '../engine/create.ts';
import { writeReport } from '../evaluation/report/report.ts';
import { runEvaluation } from '../evaluation/run.ts';
import type { View } from '../inference/inference.ts';
import { ensembleOptions } from './cli/ensemble-options.ts';
import { evaluationTables } from './cli/evaluation-text.ts';
import { integer, oneOf, wrongUse } from './cli/option-values.ts';
import { prepareFile, prepareFolder } from './cli/prepare-output.ts';
import { createProgress, type Progress } from './cli/progress.ts';

export const help = `
verydeep evaluate: compares networks on labelled photographs, in the tables of the paper

Usage: verydeep evaluate --data FOLDER [OPTIONS]

Networks are those of ensembles and of run folders (verydeep train), as many as you like. The tables compare depth, one
and several test scales, mirror images, views, networks together, and box networks: top-1, top-5, and the mean of
the classes' own top-1. Each network sees each picture once, whatever the number of rows.

  --data FOLDER      SPLIT/CLASS/NAME.jpg, boxes in SPLIT/metadata.jsonl
  --split NAME       folder of the images (val)
  --ensemble NAME    an ensemble, NAME@VERSION for another version than the stable one; may be repeated (demo)
  --run [NAME=]RUN   folder of a finished training; may be repeated. Box networks are measured on boxes
  --networks A,B     only these classification networks
  --scales Q,Q,...   smallest sides in pixels (those of the ensemble, or of the training: S-32, S, S+32)
  --no-flip          leave the mirror images out
  --view VIEW,...    dense (the whole picture), crops (a 5 x 5 grid), both; several are compared (dense)
  --localise         also measure the boxes of the ensembles: right class and IoU over 0.5
  --out FOLDER       keep results there: after a stop the same command goes on; evaluation.json at the end
  --json             everything as JSON
  --html FILE        also a report with plots and pictures: one page that needs nothing else

  --weights FOLDER   folder of ensembles (that of the package)
  --engine NAME      auto, ${engineNames.join(', ')} (auto)
  --precision KIND   fp32, bf16 (fp32)
  --devices LIST     cpu, or for instance cuda:0,cuda:1 (cpu)
  --threads N        threads of the cpu; 0 for as many as there are (0)

Examples:
  verydeep evaluate --data caltech101 --ensemble demo
  verydeep evaluate --data boxes4 --localise --html report.html
  verydeep evaluate --data photos --run runs/a --run runs/d --run runs/e --view dense,crops,both --out results
  verydeep evaluate --data photos --ensemble mine --ensemble mine@1
`;

export async function run(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    allowNegative: true,
    options: {
      ...ensembleOptions,
      ensemble: { type: 'string', multiple: true },
      data: { type: 'string' },
      split: { type: 'string', default: 'val' },
      run: { type: 'string', multiple: true, default: [] },
      view: { type: 'string', default: 'dense' },
      localise: { type: 'boolean', default: false },
      precision: { type: 'string', default: 'fp32' },
      out: { type: 'string' },
      html: { type: 'string' },
    },
  });
  if (values.data === undefined) throw wrongUse('--data', 'a folder', 'none');
  const views = values.view.split(',').map((view) => oneOf<View>('--view', view, ['dense', 'crops', 'both']));
  if (values.html !== undefined) await prepareFile('--html', values.html);
  if (values.out !== undefined) await prepareFolder('--out', values.out);
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  let bar: Progress | undefined;
  try {
    const evaluation = await runEvaluation({
      data: values.data,
      split: values.split,
      weights: values.weights,
      ensembles: values.ensemble ?? (values.run.length > 0 ? [] : ['demo']),
      runs: values.run,
      networks: values.networks?.split(','),
      scales: values.scales?.split(',').map((scale) => integer('--scales', scale, 1)),
      flip: values.flip,
      views: [...new Set(views)],
      localise: values.localise,
      engine: oneOf('--engine', values.engine, ['auto', ...engineNames]),
      devices: values.devices,
      threads: integer('--threads', values.threads, 0),
      precision: oneOf('--precision', values.precision, ['fp32', 'bf16']),
      out: values.out,
      onProgress({ images, done, imagesPerSecond }) {
        bar ??= createProgress('evaluate', images);
        bar.update(done, `${imagesPerSecond.toFixed(1)} images/s`);
      },
      signal: controller.signal,
    });
    bar?.stop();
    if (evaluation === undefined) {
      console.error(values.out ? 'stopped: the same command goes on' : 'stopped: with --out it would go on');
      return 1;
    }
    console.log(values.json ? JSON.stringify(evaluation, null, 2) : evaluationTables(evaluation));
    if (values.html !== undefined) {
      await writeReport(values.html, evaluation, `verydeep evaluate ${argv.join(' ')}`);
    }
    return 0;
  } finally {
    bar?.stop();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}
