import { evaluateOptions } from '../src/commands/evaluate.ts';
import { evaluationSettings } from '../src/evaluation/settings.ts';
import { optionsOf as inferenceOptionsOf } from '../src/inference/options.ts';
import { argumentName } from '../src/options/command-line.ts';
import { optionTable } from '../src/options/describe.ts';
import { optionsOf } from '../src/server/images/options.ts';
import { featureOptions, openOptions } from '../src/service/library.ts';
import { settingsTable } from '../src/service/settings.ts';
import { enginesTable } from './engines-table.ts';
import { errorTables } from './error-tables.ts';
import { eventTable, ownSettings, trainingTable } from './job-tables.ts';

/** Tables in pages that are generated, between `<!-- NAME -->` and `<!-- /NAME -->`: by page and name. */
export const generatedTables: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  'README.md': { settings: settingsTable },
  'docs/images.md': {
    'options-classify': () => optionTable(optionsOf.classify),
    'options-localise': () => optionTable(optionsOf.localise.pick({ top: true, view: true, boxes: true })),
  },
  'docs/evaluation.md': {
    'options-evaluate': () => optionTable(evaluateOptions, { nameOf: (name) => argumentName([name]) }),
  },
  'docs/training.md': {
    settings: trainingTable,
  },
  'docs/jobs.md': {
    'settings-train': () => optionTable(ownSettings.train, { heading: 'setting' }),
    'settings-localise': () => optionTable(ownSettings.localise, { heading: 'setting' }),
    'settings-evaluate': () => optionTable(evaluationSettings, { heading: 'setting' }),
    events: eventTable,
  },
  'docs/errors.md': { errors: errorTables },
  'docs/engines.md': { engines: enginesTable },
  'docs/api.md': {
    open: () => optionTable(openOptions),
    classify: () => optionTable(inferenceOptionsOf.classify),
    localise: () => optionTable(inferenceOptionsOf.localise.pick({ top: true, view: true, boxes: true })),
    features: () => optionTable(featureOptions),
  },
};

/** A page with its tables as they are generated now. Throws when the page has no place for one. */
export function withTables(page: string, text: string): string {
  return Object.entries(generatedTables[page] ?? {}).reduce((result, [name, table]) => {
    const place = new RegExp(`(?<=<!-- ${name} -->\n)[\\s\\S]*?(?=<!-- /${name} -->)`);
    if (!place.test(result)) throw new Error(`${page} has no <!-- ${name} --> ... <!-- /${name} -->`);
    return result.replace(place, () => `${table()}\n`);
  }, text);
}
