import { z } from 'zod';
import { engines } from '../engine/engines.ts';
import { precisions } from '../engine/precision.ts';
import { optionHints } from '../options/hints.ts';
import { packageWeights } from './weights-folder.ts';

/** Which ensemble, and what computes it: options of the commands, and of programs that use the package. */

export const ensemble = z
  .string()
  .default('demo')
  .register(optionHints, { value: 'NAME' })
  .describe('Ensemble to use; NAME@VERSION for another version than the stable one.');

export const weights = z
  .string()
  .default(packageWeights)
  .register(optionHints, { value: 'FOLDER', defaultText: 'that of the package' })
  .describe('Folder of ensembles.');

/** What computes, and where. */
export const hosts = {
  engine: z.enum(engines.choices.serving).default('auto').describe('What computes (docs/engines.md).'),
  devices: z
    .string()
    .default('cpu')
    .register(optionHints, { value: 'LIST' })
    .describe('Where: cpu, or for instance cuda:0,cuda:1.'),
  threads: z.int().min(0).max(1024).default(0).describe('Threads of the CPU; 0 for as many as there are.'),
};

export const precision = z
  .enum(precisions)
  .default('fp32')
  .describe('Arithmetic of the engine, which must know it on these devices.');
