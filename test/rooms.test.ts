import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/**
 * The rooms of the house, one a folder of `src/`, and the rooms that each imports (docs/architecture.md). The files at
 * the top are rooms of their own. Every arrow stands here, and nothing else does: an arrow that goes is deleted here.
 */
// biome-ignore format: one row a room
const rooms: Record<string, readonly string[]> = {
  commands: ['commands/cli', 'datasets', 'engine', 'engine/onednn/library', 'ensembles', 'errors', 'evaluation', 'evaluation/report', 'files', 'formats', 'formats/safetensors', 'image', 'inference', 'jobs', 'network', 'options', 'processes', 'service', 'tasks', 'training'],
  'commands/cli': ['ensembles', 'errors', 'evaluation', 'files', 'image', 'inference', 'options', 'server/images', 'service', 'training'],
  database: ['errors', 'files', 'processes'],
  datasets: ['errors', 'image'],
  decoding: ['errors', 'image', 'processes'],
  engine: ['engine/onednn', 'engine/onnx', 'engine/parallel', 'engine/reference', 'errors', 'formats/safetensors', 'network'],
  'engine/hosts': ['engine', 'errors', 'network', 'processes'],
  'engine/onednn': ['engine', 'engine/onednn/dense', 'engine/onednn/library', 'engine/onednn/primitives', 'engine/onednn/training', 'errors', 'network'],
  'engine/onednn/dense': ['engine/onednn', 'engine/onednn/library', 'engine/onednn/primitives', 'network'],
  'engine/onednn/library': ['errors', 'files'],
  'engine/onednn/primitives': ['engine/onednn/library'],
  'engine/onednn/training': ['engine/onednn', 'engine/onednn/library', 'engine/onednn/primitives', 'network'],
  'engine/onnx': ['engine', 'errors', 'formats/safetensors', 'network'],
  'engine/parallel': ['engine', 'errors', 'network', 'processes'],
  'engine/reference': ['engine', 'network'],
  ensembles: ['errors', 'files', 'formats/safetensors', 'network', 'options'],
  errors: [],
  evaluation: ['datasets', 'engine', 'engine/hosts', 'ensembles', 'errors', 'evaluation/measure', 'files', 'image', 'inference', 'network', 'options'],
  'evaluation/measure': ['datasets', 'engine', 'errors', 'evaluation', 'files', 'image', 'inference', 'inference/scheduling', 'network'],
  'evaluation/report': ['evaluation', 'files', 'image', 'training'],
  files: ['errors'],
  formats: [],
  'formats/safetensors': ['errors', 'files', 'network', 'options'],
  image: ['errors', 'image/variants'],
  'image/variants': ['image'],
  index: ['errors', 'image', 'inference', 'service'],
  inference: ['decoding', 'engine', 'ensembles', 'errors', 'image', 'inference/scheduling', 'network', 'options'],
  'inference/scheduling': ['engine', 'errors'],
  jobs: ['database', 'errors', 'evaluation', 'files', 'options', 'processes', 'training'],
  main: ['commands', 'errors', 'options', 'package-version'],
  network: ['errors'],
  options: ['errors'],
  'package-version': [],
  processes: ['errors'],
  server: ['errors', 'server/images', 'server/jobs', 'server/operations', 'server/stream', 'serving'],
  'server/images': ['ensembles', 'errors', 'image', 'inference', 'network', 'options', 'server', 'server/operations', 'serving'],
  'server/jobs': ['errors', 'jobs', 'options', 'server'],
  'server/operations': ['engine/hosts', 'errors', 'inference/scheduling', 'jobs', 'package-version', 'server', 'server/images', 'serving'],
  'server/stream': ['errors', 'inference', 'server', 'server/images', 'server/operations', 'serving'],
  service: ['database', 'decoding', 'engine', 'engine/hosts', 'ensembles', 'errors', 'image', 'inference', 'inference/scheduling', 'jobs', 'options', 'processes', 'server', 'server/operations', 'serving', 'tasks'],
  serving: ['decoding', 'engine', 'engine/hosts', 'ensembles', 'errors', 'inference', 'inference/scheduling'],
  tasks: ['datasets', 'engine', 'ensembles', 'errors', 'evaluation', 'evaluation/report', 'image', 'inference', 'jobs', 'options', 'training'],
  training: ['datasets', 'engine', 'ensembles', 'errors', 'files', 'formats/safetensors', 'image', 'network', 'options', 'processes'],
};

/** Packages that these folders alone know. */
const packageHomes: Record<string, readonly string[]> = {
  'onnxruntime-node': ['engine/onnx'],
  protobufjs: ['engine/onnx'],
  koffi: ['engine/onednn', 'engine/parallel', 'processes', 'files'], // oneDNN; shared memory; priorities; locks
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

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.ts'),
);

interface Import {
  readonly from: string;
  readonly target: string;
}

function importsOf(path: string): Import[] {
  const text = readFileSync(join(source, path), 'utf8');
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g;
  return [...text.matchAll(pattern)].map((match) => ({
    from: path,
    target: (match[1] ?? match[2] ?? match[3])!,
  }));
}

/** `errors.ts` is the room errors; `engine/onnx/model.ts` is in the room engine/onnx. */
const roomOf = (path: string): string => (path.includes('/') ? dirname(path) : path.replace(/\.ts$/, ''));

const imports = files.flatMap(importsOf);
const inside = imports
  .filter(({ target }) => target.startsWith('.'))
  .map(({ from, target }) => ({ from, target: relative(source, resolve(source, dirname(from), target)) }));

describe('the rooms', () => {
  it('are all in the table, and no others', () => {
    expect([...new Set(files.map(roomOf))].sort()).toEqual(Object.keys(rooms).sort());
  });

  it('import what the table says, and all of it', () => {
    const arrows = new Map(Object.keys(rooms).map((room) => [room, new Set<string>()]));
    for (const { from, target } of inside) {
      if (roomOf(from) !== roomOf(target)) arrows.get(roomOf(from))!.add(roomOf(target));
    }
    const found = Object.fromEntries([...arrows].map(([room, targets]) => [room, [...targets].sort()]));
    expect(found).toEqual(rooms);
  });

  it('have no circle of files', () => {
    const next = (file: string) => inside.filter(({ from }) => from === file);
    const done = new Set<string>();
    const circles: string[][] = [];
    const visit = (file: string, way: readonly string[]): void => {
      if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file]);
      if (done.has(file) || way.includes(file)) return;
      for (const { target } of next(file)) visit(target, [...way, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  it('keep each native or framework package at home', () => {
    const wrong = imports.filter(({ from, target }) => {
      const homes = packageHomes[target] ?? [];
      return target in packageHomes && !homes.some((home) => from.startsWith(`${home}/`));
    });
    expect(wrong).toEqual([]);
  });

  it('have one place with process.exit for people, and one for child processes', () => {
    const leaving = files.filter((path) => /process\.exit\(/.test(readFileSync(join(source, path), 'utf8')));
    expect(leaving.sort()).toEqual(['main.ts', 'processes/answer-calls.ts']);
  });
});
