import { packageWeights } from '../../service/weights-folder.ts';

/** Options of every command that runs an ensemble, for `parseArgs`. */
export const ensembleOptions = {
  scales: { type: 'string' },
  flip: { type: 'boolean', default: true },
  networks: { type: 'string' },
  ensemble: { type: 'string', default: 'demo' },
  weights: { type: 'string', default: packageWeights },
  engine: { type: 'string', default: 'auto' },
  devices: { type: 'string', default: 'cpu' },
  threads: { type: 'string', default: '0' },
  json: { type: 'boolean', default: false },
} as const;
