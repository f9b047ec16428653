import { readFile } from 'node:fs/promises';
import { pMapIterable } from 'p-map';
import { z } from 'zod';
import { parseReference } from '../ensembles/name-at-version.ts';
import { VerydeepError } from '../errors.ts';
import { counted } from '../evaluation/notes.ts';
import { writeDurably } from '../files/durable.ts';
import { serialiseNpy } from '../formats/npy.ts';
import { writeSafetensors } from '../formats/safetensors/write.ts';
import { unreadableReason } from '../image/unreadable.ts';
import { untimed } from '../inference/lifetime.ts';
import { optionsOf } from '../inference/options.ts';
import { fromFloat32 } from '../network/numbers.ts';
import type { TensorSource } from '../network/weights.ts';
import { optionHelp, readCommandLine } from '../options/command-line.ts';
import { optionHints } from '../options/hints.ts';
import { invalidOption } from '../options/invalid-option.ts';
import { openFeatureExtractor } from '../service/local-inference.ts';
import { ensemble, hosts, weights } from '../service/local-options.ts';
import { findImageFiles } from './cli/image-files.ts';
import { prepareFile } from './cli/prepare-output.ts';
import { createProgress } from './cli/progress.ts';

export const featureOptions = z.strictObject({
  out: z
    .string('expected a file that ends in .safetensors or .npy')
    .regex(/\.(safetensors|npy)$/, 'expected a file that ends in .safetensors or .npy')
    .register(optionHints, { value: 'FILE' })
    .describe(
      'FILE.safetensors: a tensor [pictures, fc] a network, the names of the pictures as a JSON list in its metadata; or FILE.npy: one matrix, networks side by side, the names in FILE.json.',
    ),
  ...optionsOf.classify.pick({ scales: true, flip: true, networks: true }).shape,
  ensemble,
  weights,
  ...hosts,
});

export const help = `
verydeep features: describes pictures by the activations of the second fully connected layer

Usage: verydeep features FILE|FOLDER... --out FILE [OPTIONS]

The network without its last layer runs over the whole picture; the activations (after their ReLU) are averaged over
locations, the mirror image and the scales, and L2-normalised (appendix B of the paper). A folder stands for all
images in it and under it. Pictures that cannot be read are listed and left out.

${optionHelp(featureOptions)}

Examples:
  verydeep features photos/ --out features.safetensors
  verydeep features photos/ --networks d --scales 160 --no-flip --out d.npy

Exit codes: 0 all described, 1 a picture could not be read, 2 wrong use.
`;

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = readCommandLine(featureOptions, argv, { allowPositionals: true });
  if (positionals.length === 0) throw invalidOption('files', 'at least one file or folder', 'nothing');
  const { out, ensemble: reference } = values;
  await prepareFile('--out', out);
  const { paths } = await findImageFiles(positionals);
  if (paths.length === 0) throw new VerydeepError('NO_IMAGE', `no image in ${positionals.join(', ')}`);
  const { name, version } = parseReference(reference);
  const features = await openFeatureExtractor({ ...values, ensemble: name, version });
  const { ensemble, networks, concurrency } = features;
  const progress = createProgress('features', paths.length);
  try {
    const described: { readonly path: string; readonly features: ReadonlyMap<string, Float32Array> }[] = [];
    let done = 0;
    progress.update(done);
    for await (const { path, features, problem } of pMapIterable(paths, describe, { concurrency })) {
      if (features) described.push({ path, features });
      else progress.line(`${path}: ${problem}`);
      progress.update(++done);
    }
    if (described.length === 0) {
      throw new VerydeepError(
        'NO_IMAGE',
        `expected images that can be read, received ${positionals.join(', ')}`,
      );
    }
    const names = described.map(({ path }) => path);
    const columns = networks.map(({ name: network, spec: { fc } }) => ({
      network,
      fc,
      rows: described.map(({ features }) => features.get(network)!),
    }));
    await write(out, names, columns, {
      ensemble: name,
      version: ensemble.version,
      digest: ensemble.digest,
      scales: features.scales,
      flip: values.flip,
    });
    progress.stop();
    console.log(
      `${out}: ${counted(names.length, 'picture')}, ${columns.map(({ network, fc }) => `${fc} of ${network}`).join(', ')}`,
    );
    return described.length === paths.length ? 0 : 1;
  } finally {
    progress.stop();
    await features.dispose();
  }

  async function describe(path: string) {
    try {
      const bytes = await readFile(path);
      return {
        path,
        features: await features.extract(bytes, untimed('verydeep')),
      };
    } catch (error) {
      return { path, problem: unreadableReason(error) };
    }
  }
}

// --- helpers ---

interface Column {
  readonly network: string;
  readonly fc: number;
  /** `[fc]` a picture. */
  readonly rows: readonly Float32Array[];
}

async function write(
  out: string,
  names: readonly string[],
  columns: readonly Column[],
  origin: object,
): Promise<void> {
  const description = { ...origin, networks: columns.map(({ network, fc }) => ({ network, fc })) };
  if (out.endsWith('.safetensors')) {
    const tensors = new Map(
      columns.map(({ network, fc, rows }): [string, TensorSource] => [
        network,
        { shape: [rows.length, fc], type: 'F32', parts: () => rows.map((row) => fromFloat32(row, 'F32')) },
      ]),
    );
    const metadata = { names: JSON.stringify(names), description: JSON.stringify(description) };
    await writeSafetensors(out, tensors, metadata);
    return;
  }
  const matrix = joined(names.flatMap((_, i) => columns.map(({ rows }) => rows[i]!)));
  const width = columns.reduce((sum, { fc }) => sum + fc, 0);
  await writeDurably(out, serialiseNpy(matrix, [names.length, width]));
  const side = out.replace(/npy$/, 'json');
  await writeDurably(side, `${JSON.stringify({ ...description, names }, null, 2)}\n`);
}

function joined(vectors: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(vectors.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const vector of vectors) {
    all.set(vector, at);
    at += vector.length;
  }
  return all;
}
