import { describe } from 'vitest';
import { findOnednnLibrary } from '../../../src/engine/onednn/library/find.ts';

const isInstalled = findOnednnLibrary() !== undefined;

/** Tests that need oneDNN's library; where it is not installed they are skipped, and their title says how to get it. */
export function describeOnednn(name: string, tests: () => void): void {
  describe.skipIf(!isInstalled)(isInstalled ? name : `${name} (npm run setup:onednn installs oneDNN)`, tests);
}
