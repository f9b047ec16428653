import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generatedTables, withTables } from '../scripts/generated-tables.ts';
import { codesOf } from '../src/errors.ts';

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

/** Names in backticks on all pages that look like settings or codes, and are neither. */
const foreignNames = new Set([
  'GOMP_SPINCOUNT',
  'ONEDNN_MAX_CPU_ISA',
  'ONEDNN_PRIMITIVE_CACHE_CAPACITY',
  'RTLD_NODELETE',
]);

describe('the pages together', () => {
  const texts = pages.map(read).join('\n');

  it('name the rooms of src, all of them and no others', () => {
    const table = read('docs/architecture.md').split('## Rooms')[1]!;
    const named = [...table.matchAll(/^\| ([^|]+) \|/gm)]
      .flatMap(([, cell]) => [...cell!.matchAll(/`([\w.-]+)\/?`/g)].map(([, name]) => name!))
      .sort();
    const files = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' });
    const rooms = new Set(files.filter((path) => path.endsWith('.ts')).map((path) => path.split('/')[0]!));
    expect(named).toEqual([...rooms].sort());
  });

  it('name commands that there are', () => {
    const commands = [...read('src/main.ts').matchAll(/^ {2}'?([a-z-]+)'?: \{/gm)].map(([, name]) => name!);
    expect(commands.length).toBeGreaterThan(8);
    const named = [...texts.matchAll(/verydeep ((?!\w+:)[a-z][a-z-]*)\b(?= [-A-Z{[`]|`)/g)].map(
      ([, name]) => name!,
    );
    expect([...new Set(named)].filter((name) => !commands.includes(name))).toEqual([]);
  });

  it('name settings and codes that there are', () => {
    const settings = [...read('README.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name!);
    const known = new Set([...settings, ...codesOf(), ...foreignNames]);
    const named = [...texts.matchAll(/`([A-Z]{2,}(?:_[A-Z]+)+)(?:=[^`]*)?`/g)].map(([, name]) => name!);
    expect([...new Set(named)].filter((name) => !known.has(name))).toEqual([]);
  });

  it('have one decision a number', () => {
    const numbers = readdirSync(new URL('docs/adr/', root)).map((name) => name.slice(0, 4));
    expect(numbers).toEqual([...new Set(numbers)]);
    for (const page of pagesIn('docs/adr/'))
      expect(read(page)).toMatch(new RegExp(`^# ${Number(/\d{4}/.exec(page)![0])}\\. `));
  });
});
