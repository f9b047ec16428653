import { readFile, writeFile } from 'node:fs/promises';

/**
 * Writes a generated file; with `--check` it only compares, and the exit code is 1 where the file is not what is
 * generated now.
 */
export async function writeGenerated(path: URL, content: string, command: string): Promise<void> {
  if (!process.argv.includes('--check')) {
    await writeFile(path, content);
    return;
  }
  const present = await readFile(path, 'utf8').catch(() => '');
  if (present !== content) {
    console.error(`${path.pathname} is out of date: run "${command}" and commit it`);
    process.exitCode = 1;
  }
}
