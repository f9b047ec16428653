import { parseArgs } from 'node:util';
import { engineNames } from '../engine/create.ts';
import { type Evaluation, evaluate } from '../evaluation/evaluate.ts';
import { tableRows } from '../evaluation/rows.ts';
import type { View } from '../inference/inference.ts';
import { readImageFolder } from '../training/image-folder.ts';
import { ensembleOptions } from './ensemble-options.ts';
import { openInference } from './local-inference.ts';
import { integer, oneOf, wrongUse } from './option-values.ts';
import { createProgress } from './progress.ts';
import { percent } from './training-printer.ts';

export const help = `
verydeep evaluate: measures an ensemble on labelled photographs

Usage: verydeep evaluate --data FOLDER [OPTIONS]

The table has each network at the middle scale, each at all scales with the mirror image, and all networks
together; top-1 and top-5 accuracy, and the mean of the classes' own top-1.

  --data FOLDER      SPLIT/CLASS/NAME.jpg, boxes in SPLIT/metadata.jsonl
  --split NAME       folder of the images (val)
  --localise         also measure boxes: top-5, right class and IoU over 0.5
  --scales Q,Q,...   smallest sides in pixels (the ensemble's own)
  --no-flip          leave the mirror image out
  --view VIEW        dense (the whole picture), crops (a 5 x 5 grid), or both (dense)
  --networks A,B     classification networks (all)
  --ensemble NAME    ensemble (demo); NAME@VERSION for another version than the latest
  --weights FOLDER   folder of ensembles (that of the package)
  --engine NAME      auto, ${engineNames.join(', ')} (auto)
  --devices LIST     cpu, or for instance cuda:0,cuda:1 (cpu)
  --threads N        threads of the cpu; 0 for as many as there are (0)
  --json             the figures as JSON

Examples:
  verydeep evaluate --data caltech101 --ensemble demo
  verydeep evaluate --data boxes4 --localise --json
`;

export async function run(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    allowNegative: true,
    options: {
      data: { type: 'string' },
      split: { type: 'string', default: 'val' },
      localise: { type: 'boolean', default: false },
      ...ensembleOptions,
      view: { type: 'string', default: 'dense' },
    },
  });
  if (values.data === undefined) throw wrongUse('--data', 'a folder', 'none');
  const view = oneOf<View>('--view', values.view, ['dense', 'crops', 'both']);
  const [name, version = 'latest'] = values.ensemble.split('@') as [string, string?];
  const listing = await readImageFolder(values.data, values.split);
  const local = await openInference({
    weights: values.weights,
    ensemble: name,
    version,
    engine: oneOf('--engine', values.engine, ['auto', ...engineNames]),
    devices: values.devices,
    threads: integer('--threads', values.threads, 0),
  });
  try {
    const { ensemble, inference, concurrency } = local;
    const networks = values.networks?.split(',') ?? ensemble.classifiers.map((network) => network.name);
    const scales = values.scales?.split(',').map((q) => integer('--scales', q, 1)) ?? ensemble.scales;
    const { flip } = values;
    const progress = createProgress('evaluate', listing.samples.length);
    const evaluation = await evaluate({
      inference,
      ensemble,
      listing,
      rows: tableRows(networks, scales, flip, view),
      ...(values.localise && { localise: { scales, networks, flip } }),
      concurrency,
      onProgress: (done) => progress.update(done),
    }).finally(progress.stop);
    const { digest } = ensemble;
    const report = {
      ensemble: name,
      version: ensemble.version,
      digest,
      data: values.data,
      split: values.split,
      view,
    };
    console.log(values.json ? JSON.stringify({ ...report, ...evaluation }, null, 2) : table(evaluation));
    return 0;
  } finally {
    await local.dispose();
  }
}

/** For people: a line a row, then what else there is to know. */
function table({ images, skipped, rows, localisation }: Evaluation): string {
  const lines = [['networks', 'scales', 'flip', 'top-1', 'top-5', 'mean per class']];
  for (const row of rows) {
    const shares = [row.top1, row.top5, row.meanPerClass].map(percent);
    lines.push([row.networks.join('+'), row.scales.join(','), row.flip ? 'yes' : 'no', ...shares]);
  }
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const text = lines.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
  text.push('', `${images} images`);
  if (localisation) {
    const { images: count, top5Error } = localisation;
    text.push(
      `localisation: top-5 right on ${percent(1 - top5Error)}, error ${percent(top5Error)}, of ${count} images`,
    );
  }
  if (skipped.length > 0) text.push(`${skipped.length} left out, for instance ${skipped[0]}`);
  return text.join('\n');
}
