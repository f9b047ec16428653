import { basename } from 'node:path';
import { z } from 'zod';
import { checkWeights } from '../ensembles/check-weights.ts';
import { commonLabels } from '../ensembles/common-labels.ts';
import { versionSchema } from '../ensembles/manifest.ts';
import { type NetworkInFolder, nameSchema, weightsPathOf } from '../ensembles/network.ts';
import { readRun } from '../ensembles/run.ts';
import { type NewNetwork, writeEnsembleVersion } from '../ensembles/write.ts';
import { openSafetensors } from '../formats/safetensors/read.ts';
import { storedAs } from '../network/weights.ts';
import { optionHelp, readCommandLine } from '../options/command-line.ts';
import { optionHints } from '../options/hints.ts';
import { invalidOption } from '../options/invalid-option.ts';
import { weights } from '../service/local-options.ts';

export const assembleOptions = z.strictObject({
  ensemble: nameSchema
    .describe('Its name: lower-case letters, digits, - and _.')
    .register(optionHints, { value: 'NAME' }),
  version: versionSchema
    .describe('Number of the new version: 1, 2, ...')
    .register(optionHints, { value: 'N' }),
  half: z.boolean().default(false).describe('Store the weights as 16-bit floats: half the size.'),
  weights,
});

export const help = `
verydeep assemble: puts trained networks together as a version of an ensemble

Usage: verydeep assemble --ensemble NAME --version N [OPTIONS] [NAME=]RUN...

A RUN is the folder that verydeep train left. Its network is called NAME, or like the folder. The labels
are those of the classification networks, which must agree; a version never changes once it is written.

${optionHelp(assembleOptions)}

Examples:
  verydeep assemble --ensemble mine --version 1 runs/d runs/e
  verydeep assemble --ensemble demo --version 1 --half d=runs/d e=runs/e boxes=runs/boxes
`;

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = readCommandLine(assembleOptions, argv, { allowPositionals: true });
  const { ensemble, version, half, weights } = values;
  if (positionals.length === 0) throw invalidOption('[NAME=]RUN', 'at least one run folder', 'nothing');
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

// --- helpers ---

/** `NAME=RUN`, where RUN may have more of these signs. */
function split(argument: string): [string, string] {
  const at = argument.indexOf('=');
  return [argument.slice(0, at), argument.slice(at + 1)];
}
