import { parseArgs } from 'node:util';
import { type EngineName, engineNames } from '../../engine/create.ts';
import { parseReference } from '../../ensembles/name-at-version.ts';
import type { InferenceOptions, Task, View } from '../../inference/inference.ts';
import { ensembleOptions } from './ensemble-options.ts';
import { integer, oneOf, wrongUse } from './option-values.ts';

/** What `verydeep classify` and `verydeep localise` are asked for. */
export interface ImageCommand {
  readonly files: readonly string[];
  readonly inference: InferenceOptions;
  readonly json: boolean;
  readonly ensemble: string;
  /** A number, `stable` or `latest`. */
  readonly version: string;
  /** Folder of ensembles. */
  readonly weights: string;
  readonly engine: EngineName | 'auto';
  readonly devices: string;
  readonly threads: number;
}

/** The options that both commands have, for their help texts. */
export const imageOptionsHelp = `
  --top N            classes in the answer (5)
  --scales Q,Q,...   smallest sides in pixels to which a picture is rescaled (the ensemble's own)
  --no-flip          leave the mirror image out
  --networks A,B     classification networks to average (all)
  --ensemble NAME    ensemble to use (demo); NAME@VERSION for another version than the stable one
  --weights FOLDER   folder of ensembles (those of the package)
  --engine NAME      auto, ${engineNames.join(', ')} (auto)
  --devices LIST     cpu, or for instance cuda:0,cuda:1 (cpu)
  --threads N        threads of the cpu; 0 for as many as there are (0)
  --json             one line of JSON for each file`;

/** Throws INVALID_OPTION, or the errors of `parseArgs`. */
export function parseImageCommand(task: Task, argv: readonly string[]): ImageCommand {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    allowNegative: true,
    options: {
      top: { type: 'string', default: '5' },
      ...ensembleOptions,
      ...(task === 'classify'
        ? { view: { type: 'string', default: 'dense' } as const }
        : { boxes: { type: 'string', default: 'best' } as const }),
    },
  });
  if (positionals.length === 0) throw wrongUse('files', 'at least one file or folder', 'none');
  const { view = 'dense', boxes = 'best' } = values as { view?: string; boxes?: string };
  const { name: ensemble, version } = parseReference(values.ensemble);
  return {
    files: positionals,
    inference: {
      task,
      top: integer('--top', values.top, 1),
      flip: values.flip,
      view: oneOf<View>('--view', view, ['dense', 'crops', 'both']),
      maps: false,
      boxes: oneOf('--boxes', boxes, ['best', 'all']),
      ...(values.scales !== undefined && {
        scales: values.scales.split(',').map((scale) => integer('--scales', scale, 1)),
      }),
      ...(values.networks !== undefined && { networks: values.networks.split(',') }),
    },
    json: values.json,
    ensemble,
    version,
    weights: values.weights,
    engine: oneOf('--engine', values.engine, ['auto', ...engineNames]),
    devices: values.devices,
    threads: integer('--threads', values.threads, 0),
  };
}
