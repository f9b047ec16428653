import { createEngines, type Engines } from './create-engines.ts';
import type { EngineRow } from './engine-row.ts';
import { needsOfOnnxruntime } from './onnx/needs.ts';

/**
 * All engines. Everything else that is said of them is derived from here: names, what `auto` takes (the first that can
 * do what is asked and is there), contradictions of settings, options and help of the commands, what jobs accept, and
 * the table of docs/engines.md (`npm run docs`). A new engine is a folder and a row.
 */
export const engineTable = {
  onednn: {
    title: 'oneDNN',
    choose: 'on any CPU, for serving and for training',
    needs: { cpu: 'the library of oneDNN 3' },
    setup: {
      command: 'verydeep setup-onednn',
      gives: 'about twice the speed of training, and bf16 on CPUs that have it',
    },
    automatic: true,
    takesLibrary: true,
    serving: {
      support: { cpu: ['fp32', 'bf16'] },
      outputs: ['maps', 'features'],
      load: async () => (await import('./onednn/engine.ts')).createOnednnEngine,
    },
    training: {
      support: { cpu: ['fp32', 'bf16'] },
      load: async () => (await import('./onednn/training-step.ts')).createOnednnTrainingStep,
    },
  },
  onnx: {
    title: 'onnxruntime',
    choose: 'on GPUs, and where oneDNN cannot be installed',
    needs: needsOfOnnxruntime,
    automatic: true,
    takesLibrary: false,
    serving: {
      support: { cpu: ['fp32'], cuda: ['fp32'], tensorrt: ['fp32'], webgpu: ['fp32'] },
      outputs: ['maps', 'features'],
      load: async () => (await import('./onnx/engine.ts')).createOnnxEngine,
    },
    training: {
      support: { cpu: ['fp32'] },
      load: async () => (await import('./onnx/training-step.ts')).createOnnxTrainingStep,
    },
  },
  reference: {
    title: 'plain TypeScript',
    choose: 'to check another engine against, with tiny networks; far too slow for others',
    needs: { cpu: 'nothing' },
    automatic: false,
    takesLibrary: false,
    serving: {
      support: { cpu: ['fp32'] },
      outputs: ['maps', 'features'],
      load: async () => {
        const { createReferenceEngine } = await import('./reference/engine.ts');
        return async () => createReferenceEngine();
      },
    },
  },
} as const satisfies Readonly<Record<string, EngineRow>>;

export type EngineName = keyof typeof engineTable;

/** An engine by name, or `auto`. */
export type EngineChoice = EngineName | 'auto';

export const engines: Engines<EngineName> = createEngines<EngineName>(engineTable);
