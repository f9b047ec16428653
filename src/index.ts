/** What other programs import from `verydeep` (docs/api.md). */

export { type ErrorCode, isVerydeepError, VerydeepError } from './errors.ts';
export type { Box } from './image/box.ts';
export type { ClassMap, Detection, RankedClass } from './inference/answer.ts';
export {
  type CallOptions,
  type Classification,
  type ClassifyOptions,
  type EnsembleInfo,
  type Localisation,
  type LocaliseOptions,
  type OpenEnsemble,
  type OpenFeatures,
  type OpenFeaturesOptions,
  type OpenOptions,
  openEnsemble,
  openFeatures,
} from './service/library.ts';
