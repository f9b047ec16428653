import { expect, it } from 'vitest';
import { evaluateOptions } from '../../src/commands/evaluate.ts';
import { featureOptions } from '../../src/commands/features.ts';
import { evaluationSettings } from '../../src/evaluation/settings.ts';
import { describeOptions } from '../../src/options/describe.ts';
import { optionsOf } from '../../src/server/images/options.ts';

it.each([
  ['of POST /classify', optionsOf.classify],
  ['of POST /localise', optionsOf.localise],
  ['of an evaluation', evaluationSettings],
  ['of verydeep evaluate', evaluateOptions],
  ['of verydeep features', featureOptions],
])('every option %s says what it is, and which values it takes', (_, group) => {
  const silent = describeOptions(group).filter(({ text, values }) => text === '' || values === '');
  expect(silent.map(({ name }) => name)).toEqual([]);
});
