import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A new folder, with a space in its path, for the tests of a file or of a `describe`: removed after them. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'verydeep '));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
