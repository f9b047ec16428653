import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { writeEnsembleVersion } from '../ensembles/write.ts';
import { VerydeepError } from '../errors.ts';
import { storedAs } from '../network/weights.ts';
import { packageWeights } from '../service/weights-folder.ts';
import { readTrainedNetwork, type TrainedNetwork } from '../training/run-folder.ts';

export const help = `
verydeep assemble: puts trained networks together as a version of an ensemble

Usage: verydeep assemble --ensemble NAME --version N [OPTIONS] [NAME=]RUN...

A RUN is the folder that verydeep train left. Its network is called NAME, or like the folder. The labels
are those of the classification networks, which must agree; a version never changes once it is written.

  --ensemble NAME    lower-case letters, digits, - and _
  --version N        1, 2, ...
  --half             store the weights as 16-bit floats: half the size
  --weights FOLDER   folder of ensembles (that of the package)

Examples:
  verydeep assemble --ensemble mine --version 1 runs/d runs/e
  verydeep assemble --ensemble demo --version 1 --half d=runs/d e=runs/e boxes=runs/boxes
`;

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      ensemble: { type: 'string' },
      version: { type: 'string' },
      half: { type: 'boolean', default: false },
      weights: { type: 'string', default: packageWeights },
    },
  });
  const { ensemble, version, half, weights } = values;
  if (ensemble === undefined || version === undefined || positionals.length === 0) {
    throw new VerydeepError('INVALID_OPTION', 'expected --ensemble, --version and at least one run folder');
  }
  const runs: { name: string; network: TrainedNetwork }[] = [];
  for (const argument of positionals) {
    const [name, folder] = argument.includes('=') ? split(argument) : [basename(argument), argument];
    runs.push({ name, network: await readTrainedNetwork(folder) });
  }
  const folder = await writeEnsembleVersion(weights, {
    ensemble,
    version,
    labels: commonLabels(runs.map(({ network }) => network)),
    networks: runs.map(({ name, network }) => ({
      name,
      ...network.spec,
      preprocessing: {
        ...network.preprocessing,
        mean: [...network.preprocessing.mean],
        std: [...network.preprocessing.std],
      },
      trainingScale: network.trainingScale,
      metrics: { ...network.metrics },
      provenance: network.provenance,
      weights: half ? storedAs(network.weights, 'F16') : network.weights,
    })),
    provenance: { command: `verydeep assemble ${argv.join(' ')}` },
  });
  console.log(folder);
  return 0;
}

/** `NAME=RUN`, where RUN may have more of these signs. */
function split(argument: string): [string, string] {
  const at = argument.indexOf('=');
  return [argument.slice(0, at), argument.slice(at + 1)];
}

/** Labels of all networks whose outputs depend on them. A single box for all classes (SCR) knows nothing of labels. */
function commonLabels(networks: readonly TrainedNetwork[]): string[] {
  const [first, ...others] = networks.filter(({ spec }) => spec.head !== 'scr');
  if (first === undefined) {
    throw new VerydeepError('INVALID_WEIGHTS', 'expected at least one classification network, received none');
  }
  for (const { labels, provenance } of others) {
    if (labels.join('\n') === first.labels.join('\n')) continue;
    throw new VerydeepError(
      'INVALID_WEIGHTS',
      `expected networks with the same labels, those of ${provenance.dataset} differ from those of ${first.provenance.dataset}`,
    );
  }
  return [...first.labels];
}
