/** `npm run readme`: writes the table of settings into README.md. */
import { readFile } from 'node:fs/promises';
import { settingsTable } from '../src/service/settings.ts';
import { writeGenerated } from './generated.ts';

const path = new URL('../README.md', import.meta.url);
const readme = await readFile(path, 'utf8');
const marked = /(?<=<!-- settings -->\n)[\s\S]*?(?=<!-- \/settings -->)/;
if (!marked.test(readme)) throw new Error('README.md has no <!-- settings --> ... <!-- /settings -->');
await writeGenerated(
  path,
  readme.replace(marked, () => `${settingsTable()}\n`),
  'npm run readme',
);
