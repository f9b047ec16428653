import { z } from 'zod';
import { examplesOf } from '../datasets/listing.ts';
import { counted } from '../evaluation/notes.ts';
import { ownImageLimits } from '../image/limits.ts';
import { optionHelp, readCommandLine } from '../options/command-line.ts';
import { invalidOption } from '../options/invalid-option.ts';
import { checkDataset, type DatasetReport, type SplitReport } from '../training/check-dataset.ts';
import { createProgress } from './cli/progress.ts';

export const checkOptions = z.strictObject({
  json: z.boolean().default(false).describe('The whole report as JSON, every image named.'),
});

export const help = `
verydeep check: says what a training would find in a data set

Usage: verydeep check DATA [OPTIONS]

DATA is a folder with train/ and val/, or ILSVRC's (docs/training.md). Every image is read and decoded: how many there
are, of which classes, which are broken and why, which are there twice or in both splits, what lies there unused.

${optionHelp(checkOptions)}

Examples:
  verydeep check photos
  verydeep check photos --json > report.json

Exit codes: 0 nothing is wrong, 1 something is worth a look, 2 wrong use.
`;

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = readCommandLine(checkOptions, argv, { allowPositionals: true });
  const [data, ...others] = positionals;
  if (data === undefined || others.length > 0)
    throw invalidOption('DATA', 'one folder', `${positionals.length}`);
  let bar: ReturnType<typeof createProgress> | undefined;
  const report = await checkDataset({
    data,
    limits: ownImageLimits,
    onProgress(done, total) {
      bar ??= createProgress('images', total);
      bar.update(done);
    },
  }).finally(() => bar?.stop());
  const findings = findingsOf(report);
  if (values.json) console.log(JSON.stringify(report, null, 2));
  else
    console.log(
      [...countsOf('train', report.train), ...countsOf('val', report.validation), ...findings].join('\n'),
    );
  return findings.length === 0 ? 0 : 1;
}

// --- helpers ---

/** A class with fewer images than this share of the largest one is worth a word. */
const imbalance = 0.1;

function countsOf(split: string, { images, boxes, classes }: SplitReport): string[] {
  const counts = classes.map((own) => own.images).sort((a, b) => a - b);
  const spread = `${counts[0]} to ${counts.at(-1)} a class, median ${counts[Math.floor(counts.length / 2)]}`;
  const withBoxes = boxes > 0 ? `, ${boxes} with a box` : '';
  return [
    `${split}: ${counted(images, 'image')} of ${counted(classes.length, 'class')} (${spread})${withBoxes}`,
  ];
}

/** What is worth a look, a line each. */
function findingsOf({ train, validation, shared }: DatasetReport): string[] {
  const splits = [
    ['train', train],
    ['val', validation],
  ] as const;
  const lines = splits.flatMap(([split, report]) => [
    ...listed(`${split}: broken`, report.broken),
    ...listed(
      `${split}: the same image in different classes`,
      report.duplicates.filter(({ contradicts }) => contradicts).map(({ names }) => names.join(' = ')),
    ),
    ...listed(
      `${split}: the same image twice or more`,
      report.duplicates.filter(({ contradicts }) => !contradicts).map(({ names }) => names.join(' = ')),
    ),
    ...report.notes.map((note) => `${split}: ${note}`),
  ]);
  const most = Math.max(...train.classes.map(({ images }) => images));
  const few = train.classes.filter(({ images }) => images < imbalance * most);
  const unseen = train.classes.filter(
    ({ label }) => !validation.classes.some((other) => other.label === label && other.images > 0),
  );
  return [
    ...lines,
    ...listed(
      'in train and in val; training leaves them out',
      shared.map((pair) => `${pair.train} = ${pair.validation}`),
    ),
    ...listed(
      `classes with less than ${100 * imbalance} % of the images of the largest one`,
      few.map(({ label, images }) => `${label} (${images})`),
    ),
    ...listed(
      'classes without a validation image',
      unseen.map(({ label }) => label),
    ),
  ];
}

function listed(title: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${title}: ${examplesOf(names)}`];
}
