import { z } from 'zod';
import { parseReference } from '../../ensembles/name-at-version.ts';
import { type InferenceOptions, optionsOf, readImageOptions, type Task } from '../../inference/options.ts';
import { optionHelp, readCommandLine } from '../../options/command-line.ts';
import { invalidOption } from '../../options/invalid-option.ts';
import type { LocalOptions } from '../../service/local-inference.ts';
import { ensemble, hosts, weights } from '../../service/local-options.ts';

/** What `verydeep classify` and `verydeep localise` are asked for. */
export interface ImageCommand extends LocalOptions {
  readonly files: readonly string[];
  readonly inference: InferenceOptions;
  readonly json: boolean;
}

const json = z.boolean().default(false).describe('One line of JSON for each file.');
const common = { ensemble, weights, ...hosts, json };

/** Score maps are for programs; boxes are localised on the whole picture only. */
const groups = {
  classify: optionsOf.classify.omit({ maps: true }).extend(common),
  localise: optionsOf.localise.omit({ view: true }).extend(common),
} as const satisfies Record<Task, z.ZodObject>;

export function imageOptionsHelp(task: Task): string {
  return optionHelp(groups[task]);
}

/** Throws INVALID_OPTION, or the errors of `parseArgs`. */
export function parseImageCommand(task: Task, argv: readonly string[]): ImageCommand {
  const { values, positionals } = readCommandLine(groups[task], argv, { allowPositionals: true });
  if (positionals.length === 0) throw invalidOption('files', 'at least one file or folder', 'nothing');
  const { ensemble: reference, weights, engine, devices, threads, json, ...options } = values;
  const { name: ensemble, version } = parseReference(reference);
  const inference = readImageOptions(task, options);
  return { files: positionals, inference, json, ensemble, version, weights, engine, devices, threads };
}
