/** `npm run docs`: writes the tables of options and settings into README.md and docs/. */
import { readFile } from 'node:fs/promises';
import { writeGenerated } from './generated.ts';
import { generatedTables, withTables } from './generated-tables.ts';

for (const page of Object.keys(generatedTables)) {
  const path = new URL(`../${page}`, import.meta.url);
  await writeGenerated(path, withTables(page, await readFile(path, 'utf8')), 'npm run docs');
}
