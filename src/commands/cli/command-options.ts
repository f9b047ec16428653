import { z } from 'zod';
import { engineNames } from '../../engine/create.ts';
import { optionHints } from '../../options/hints.ts';
import { packageWeights } from '../../service/weights-folder.ts';

/** Options that several commands have. */

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
  engine: z
    .enum(['auto', ...engineNames])
    .default('auto')
    .describe('What computes.'),
  devices: z
    .string()
    .default('cpu')
    .register(optionHints, { value: 'LIST' })
    .describe('Where: cpu, or for instance cuda:0,cuda:1.'),
  threads: z.int().min(0).max(1024).default(0).describe('Threads of the CPU; 0 for as many as there are.'),
};

/** Arithmetic of oneDNN. */
export const precision = z.enum(['fp32', 'bf16']).default('fp32').describe('Arithmetic of oneDNN.');

export const json = z.boolean().default(false).describe('One line of JSON for each file.');
