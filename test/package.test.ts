import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

/** What people get from the registry: built, packed, unpacked beside a program of theirs, and imported by its name. */

const run = promisify(execFile);
const root = fileURLToPath(new URL('../', import.meta.url));
const tsc = join(root, 'node_modules/.bin/tsc');
const examples = [...readFileSync(join(root, 'docs/api.md'), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map(
  ([, code]) => code!,
);

const folder = temporaryFolder();
let program: string;
let packed: string[];

beforeAll(async () => {
  const source = join(folder, 'source');
  mkdirSync(source);
  for (const name of [
    'package.json',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
    'openapi.yaml',
    'docs',
    'weights',
  ])
    cpSync(join(root, name), join(source, name), { recursive: true });
  await run(tsc, ['-p', 'tsconfig.build.json', '--outDir', join(source, 'dist')], { cwd: root });
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts'], { cwd: source });
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  packed = files.map(({ path }) => path);

  program = join(folder, 'program');
  const installed = join(program, 'node_modules/verydeep');
  mkdirSync(installed, { recursive: true });
  await run('tar', ['-xzf', join(source, filename), '--strip-components=1', '-C', installed]);
  symlinkSync(join(root, 'node_modules'), join(installed, 'node_modules'));
  writeFileSync(join(program, 'package.json'), '{ "type": "module" }');
  cpSync(join(root, 'examples/airplanes.jpg'), join(program, 'photo.jpg'));
}, 180_000);

describe('the package', () => {
  it('has the program, the library with its types, the demo ensemble, the pages and the contract', () => {
    expect([...new Set(packed.map((path) => path.split('/')[0]))].sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist',
      'docs',
      'openapi.yaml',
      'package.json',
      'weights',
    ]);
    expect(packed).toEqual(
      expect.arrayContaining([
        'dist/main.js',
        'dist/index.js',
        'dist/index.d.ts',
        'dist/engine/hosts/host.js',
      ]),
    );
  });

  it('has types that fit the examples of docs/api.md, and not what is wrong', async () => {
    const names = examples.map((code, i) => {
      writeFileSync(join(program, `example-${i}.ts`), code);
      return `example-${i}.ts`;
    });
    writeFileSync(
      join(program, 'wrong.ts'),
      `
      import { openEnsemble } from 'verydeep';
      // @ts-expect-error: no such option
      const ensemble = await openEnsemble({ name: 'demo' });
      // @ts-expect-error: a path in place of bytes
      await ensemble.classify('photo.jpg');
      const { classes } = await ensemble.classify(new Uint8Array(1), { view: 'both' });
      // @ts-expect-error: only of localise
      await ensemble.classify(new Uint8Array(1), { boxes: 'all' });
      // @ts-expect-error: a number
      const word: string = classes[0].probability;
    `,
    );
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
    const types = ['--typeRoots', join(root, 'node_modules/@types')];
    const { stdout } = await run(tsc, [...options, ...types, ...names, 'wrong.ts'], { cwd: program }).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  });

  it.each([
    [
      'classes and boxes',
      0,
      /^airplanes 0\.9\d\n\S+ 0\.\d\d\n\S+ 0\.\d\d\nairplanes \[ \d+, \d+, \d+, \d+ \]\n$/,
    ],
    ['features', 1, /^d \d+ 1\.00\n$/],
    ['the code of an error', 2, /^UNSUPPORTED_IMAGE\n$/],
  ])('gives %s, as docs/api.md shows', async (_, example, expected) => {
    writeFileSync(join(program, 'example.js'), examples[example]!);
    const { stdout, stderr } = await run(process.execPath, ['example.js'], { cwd: program });
    expect(stderr).toBe('');
    expect(stdout).toMatch(expected);
  });
});
