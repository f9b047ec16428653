import { z } from 'zod';
import { evaluationStep, stateEvent } from '../src/jobs/job.ts';
import { localiseJobSettings, trainJobSettings } from '../src/jobs/settings.ts';
import { optionTable } from '../src/options/describe.ts';
import { trainingEvent } from '../src/training/events.ts';
import { dataSettings, machineSettings, networkSettings, recipeSettings } from '../src/training/settings.ts';

/** Settings of jobs that `verydeep train` does not have, or has otherwise. */
export const ownSettings = {
  train: trainJobSettings.pick({ from: true, base: true, list: true }),
  localise: localiseJobSettings.pick({ from: true, base: true, head: true }),
};

/** The settings of a training, as docs/training.md has them. */
export function trainingTable(): string {
  const group = z.object({ ...dataSettings, ...networkSettings, ...recipeSettings, ...machineSettings });
  return optionTable(group, { heading: 'setting' });
}

/** What a job says while it runs, as docs/jobs.md has it. */
export function eventTable(): string {
  const rows = [stateEvent, ...trainingEvent.options, evaluationStep].map(({ shape, description }) => {
    const { type, ...data } = shape;
    const fields = Object.entries(data).map(([name, field]) =>
      field instanceof z.ZodExactOptional ? `\`${name}\`?` : `\`${name}\``,
    );
    return `| \`${type.value}\` | ${fields.join(', ')} | ${description} |`;
  });
  return ['| event | data | when |', '|---|---|---|', ...rows].join('\n');
}
