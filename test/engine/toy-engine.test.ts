import { describe, expect, it } from 'vitest';
import { createEngines } from '../../src/engine/create-engines.ts';
import { engineTable } from '../../src/engine/engines.ts';
import { describeEngine } from './contract.ts';
import { describeTrainingStep } from './training-contract.ts';

/** What adding an engine takes beside its folder (test/engine/toy): one row. It also trains on a GPU, as no other does. */
const engines = createEngines({
  ...engineTable,
  toy: {
    title: 'a toy',
    choose: 'to try out the table',
    needs: { cpu: 'nothing', cuda: 'nothing' },
    automatic: true,
    takesLibrary: false,
    serving: {
      support: { cpu: ['fp32'], cuda: ['fp32', 'bf16'] },
      outputs: ['maps', 'features'],
      load: async () => (await import('./toy/engine.ts')).createToyEngine,
    },
    training: {
      support: { cpu: ['fp32'], cuda: ['fp32'] },
      load: async () => (await import('./toy/training-step.ts')).createToyTrainingStep,
    },
  },
});

describeEngine('an engine that is a folder and a row', () =>
  engines.createEngine({
    engine: 'toy',
    device: 'cuda:3',
    threads: 1,
    sharedCores: false,
    precision: 'fp32',
  }),
);

describeTrainingStep('a training step that is a folder and a row', (options) =>
  engines.createTrainingStep('toy', { ...options, device: 'cuda:3' }),
);

describe('an engine that is a folder and a row', () => {
  it('can be asked for by name', () => {
    expect(engines.choices.serving).toEqual(['auto', 'onednn', 'onnx', 'reference', 'toy']);
    expect(engines.choices.training).toEqual(['auto', 'onednn', 'onnx', 'toy']);
  });

  it('is taken by auto for what no other can, and in its turn', () => {
    const wish = { engine: 'auto', devices: ['cuda:0'], precision: 'fp32' } as const;
    expect(engines.choose(wish, 'serving').candidates).toEqual(['onnx', 'toy']);
    expect(engines.choose({ ...wish, precision: 'bf16' }, 'serving').candidates).toEqual(['toy']);
    expect(engines.choose(wish, 'training').candidates).toEqual(['toy']);
  });

  it('is refused where it cannot compute', () => {
    const wish = { engine: 'toy', devices: ['webgpu'], precision: 'fp32' } as const;
    expect(engines.choose(wish, 'serving').contradictions).toEqual([
      { of: 'devices', message: 'expected cpu or cuda:N with engine toy; received webgpu' },
    ]);
    expect(
      engines.choose({ ...wish, devices: ['cpu'], precision: 'bf16' }, 'serving').contradictions,
    ).toEqual([
      {
        of: 'precision',
        message:
          'expected fp32 with engine toy on cpu; received bf16, which onednn computes on cpu, toy computes on cuda:N',
      },
    ]);
  });
});
