import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { checkWeights } from '../ensembles/check-weights.ts';
import { commonLabels } from '../ensembles/common-labels.ts';
import { type NetworkInFolder, weightsPathOf } from '../ensembles/network.ts';
import { readRun } from '../ensembles/run.ts';
import { type NewNetwork, writeEnsembleVersion } from '../ensembles/write.ts';
import { VerydeepError } from '../errors.ts';
import { openSafetensors } from '../formats/safetensors/read.ts';
import { storedAs } from '../network/weights.ts';
import { packageWeights } from '../service/weights-folder.ts';

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
  const runs: NetworkInFolder[] = [];
  for (const argument of positionals) {
    const [name, folder] = argument.includes('=') ? split(argument) : [basename(argument), argument];
    const run = readRun(folder);
    runs.push({ ...run, network: { ...run.network, name } });
  }
  const networks: NewNetwork[] = [];
  for (const run of runs) {
    const { network } = run;
    const path = weightsPathOf(run);
    if (half) await checkWeights(path, network);
    networks.push({
      ...network,
      weights: half ? storedAs(openSafetensors(path).tensors, 'F16') : { path, sha256: network.sha256 },
    });
  }
  const folder = await writeEnsembleVersion(weights, {
    ensemble,
    version,
    labels: commonLabels(runs.map(({ network, labels }) => ({ ...network, labels }))),
    networks,
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
