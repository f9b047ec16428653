import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/**
 * A module of this package that a child process or a thread runs: `path` (without its ending) from the module at `url`,
 * TypeScript when that one is, else JavaScript as built.
 */
export function programBeside(url: string, path: string): URL {
  return new URL(`${path}${url.endsWith('.ts') ? '.ts' : '.js'}`, url);
}

/** Runs a program in a child process with a channel for messages; TypeScript through tsx. */
export function forkProgram(
  program: URL,
  argv: readonly string[],
  options: Pick<ForkOptions, 'stdio' | 'serialization'>,
): ChildProcess {
  const execArgv = isTypeScript(program) ? ['--import', tsxFile('tsx')] : [];
  return fork(fileURLToPath(program), argv, { ...options, execArgv });
}

/** Runs a program in a thread, which takes no `--import`: tsx is registered inside it before TypeScript is loaded. */
export function startThread(program: URL, workerData: unknown): Worker {
  if (!isTypeScript(program)) return new Worker(program, { workerData });
  const api = tsxFile('tsx/esm/api').replace(/cjs$/, 'mjs');
  const source = `import(${JSON.stringify(api)}).then((tsx) => { tsx.register(); return import(${JSON.stringify(program.href)}); })`;
  return new Worker(source, { workerData, eval: true });
}

// --- helpers ---

function isTypeScript(program: URL): boolean {
  return program.pathname.endsWith('.ts');
}

/** tsx is a development dependency: it is looked for only when something runs from TypeScript. */
function tsxFile(name: string): string {
  return pathToFileURL(createRequire(import.meta.url).resolve(name)).href;
}
