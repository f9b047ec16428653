import { fileURLToPath } from 'node:url';

/** The folder of ensembles that comes with the package. */
export const packageWeights = fileURLToPath(new URL('../../weights', import.meta.url));
