import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generatedTables, withTables } from '../scripts/generated-tables.ts';

const root = new URL('../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const pagesIn = (folder: string): string[] =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}${name}`);

const pages = [...pagesIn('./'), ...pagesIn('docs/'), ...pagesIn('docs/adr/')];
const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);

describe.each(pages)('%s', (page) => {
  const text = read(page);

  it('links to files that are there', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target]) => target!);
    const missing = links.filter((target) => !existsSync(new URL(target, new URL(page, root))));
    expect(missing).toEqual([]);
  });

  it('names files of this repository that are there', () => {
    const paths = [...text.matchAll(/`((?:src|test|scripts|bench|docs|examples|weights)\/[\w./-]+)`/g)];
    const missing = paths.map(([, path]) => path!).filter((path) => !existsSync(new URL(path, root)));
    expect(missing).toEqual([]);
  });

  it('has its generated tables as the schemas say (npm run docs)', () => {
    const name = page.replace('./', '');
    const marked = [...text.matchAll(/<!-- (\w[\w-]*) -->/g)].map(([, table]) => table);
    expect(marked).toEqual(Object.keys(generatedTables[name] ?? {}));
    expect(withTables(name, text)).toBe(text);
  });

  it('names scripts of package.json', () => {
    const named = [...text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => name!);
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });
});
