import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/**
 * The rooms of the house and what each may import (docs/architecture.md). `engine` means its interface files at the
 * top of the room; only the engine room itself, and those with `engine/*`, know the runtimes in its folders.
 */
const mayImport: Record<string, readonly string[]> = {
  errors: [],
  network: ['errors'],
  files: ['errors'],
  processes: ['errors'],
  formats: ['errors', 'network'],
  image: ['errors'],
  ensembles: ['errors', 'network', 'files', 'formats'],
  engine: ['errors', 'network', 'formats', 'processes'],
  inference: ['errors', 'network', 'ensembles', 'image', 'engine'],
  training: ['errors', 'network', 'files', 'formats', 'ensembles', 'image', 'engine', 'processes'],
  evaluation: [
    'errors',
    'network',
    'files',
    'formats',
    'ensembles',
    'image',
    'engine',
    'inference',
    'training',
  ],
  database: ['errors', 'files'],
  jobs: ['errors', 'database'],
  config: ['errors', 'engine'],
  server: ['errors', 'inference', 'ensembles', 'engine', 'jobs'],
  commands: ['*'],
  main: ['*'],
};

/** Packages that one room alone may know. */
const packageHomes: Record<string, readonly string[]> = {
  'onnxruntime-node': ['engine/onnx'],
  protobufjs: ['engine/onnx'],
  koffi: ['engine/onednn', 'engine/parallel', 'processes', 'files'], // oneDNN; shared memory; priorities; file locks
  sharp: ['image'],
  fastify: ['server'],
  'prom-client': ['server'],
  'pg-boss': ['jobs'],
  pg: ['database'],
  '@electric-sql/pglite': ['database'],
  vega: ['evaluation'],
  'vega-lite': ['evaluation'],
  'cli-progress': ['commands'],
};

const source = fileURLToPath(new URL('../src', import.meta.url));

function filesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : path.endsWith('.ts') ? [path] : [];
  });
}

interface Import {
  readonly from: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

function importsOf(path: string): Import[] {
  const text = readFileSync(path, 'utf8');
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g;
  return [...text.matchAll(pattern)].map((match) => ({
    from: relative(source, path),
    target: (match[2] ?? match[3] ?? match[4])!,
    typeOnly: match[1] !== undefined,
  }));
}

/** `errors.ts` is the room errors; `engine/onnx/model.ts` is in the room engine. */
const roomOf = (path: string): string => path.split('/')[0]!.replace(/\.ts$/, '');

const imports = filesUnder(source).flatMap(importsOf);
const inside = imports
  .filter(({ target }) => target.startsWith('.'))
  .map((entry) => ({
    ...entry,
    target: relative(source, resolve(source, dirname(entry.from), entry.target)),
  }));

describe('the rooms', () => {
  it('are all known', () => {
    const rooms = new Set(filesUnder(source).map((path) => roomOf(relative(source, path))));
    expect([...rooms].filter((room) => !(room in mayImport))).toEqual([]);
  });

  it('import only what the table allows', () => {
    const wrong = inside.filter(({ from, target }) => {
      const allowed = mayImport[roomOf(from)] ?? [];
      return roomOf(from) !== roomOf(target) && !allowed.includes('*') && !allowed.includes(roomOf(target));
    });
    expect(wrong).toEqual([]);
  });

  it('know the engine by its interface, never a runtime of it', () => {
    const runtime = /^engine\/[^/]+\//;
    const wrong = inside.filter(
      ({ from, target }) => runtime.test(target) && !['engine', 'commands', 'main'].includes(roomOf(from)),
    );
    expect(wrong).toEqual([]);
    const across = inside.filter(
      ({ from, target }) =>
        runtime.test(from) && runtime.test(target) && from.split('/')[1] !== target.split('/')[1],
    );
    expect(across).toEqual([]);
  });

  it('keep each native or framework package at home', () => {
    const wrong = imports.filter(({ from, target }) => {
      const homes = packageHomes[target] ?? [];
      return target in packageHomes && !homes.some((home) => from.startsWith(`${home}/`));
    });
    expect(wrong).toEqual([]);
  });

  it('have one place with process.exit', () => {
    const leaving = filesUnder(source)
      .filter((path) => /process\.exit\(/.test(readFileSync(path, 'utf8')))
      .map((path) => relative(source, path));
    expect(leaving.filter((path) => path !== 'main.ts' && path !== 'processes/answer-calls.ts')).toEqual([]);
  });
});
