import { execFile } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../temporary-folder.ts';
import { startApp } from '../app-under-test.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = temporaryFolder();

/** The client of docs/stream.md, in a program of its own. */
const client = async (url: string, paths: readonly string[]) =>
  run(process.execPath, ['client.js', url, ...paths], { cwd: folder });

beforeAll(() => {
  const [, code] = /```js\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/stream.md'), 'utf8'))!;
  writeFileSync(join(folder, 'client.js'), code!);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const name of ['a', 'b', 'c', 'd', 'bad']) writeFileSync(join(folder, name), name);
});

describe('the client of docs/stream.md', () => {
  it('has more images than credits answered, a bad one among them', async () => {
    const { app, metrics } = await startApp({ limits: { streamCredits: 2 } });
    const url = (await app.listen({ port: 0, host: '127.0.0.1' })).replace('http', 'ws');
    const { stdout, stderr } = await client(`${url}/stream`, ['a', 'b', 'bad', 'c', 'd']);
    expect(stderr).toBe('');
    const good = ['a', 'b', 'c', 'd'].flatMap((name) => [
      `${name}: cat 0.333333 at 32 so far`,
      `${name}: cat 0.333333 at 32,48`,
    ]);
    expect(stdout.trim().split('\n').sort()).toEqual([...good, 'bad: CORRUPT_IMAGE'].sort());
    await app.close();
    expect(await metrics.registry.metrics()).toContain('verydeep_stream_closes_total{code="1005"} 1');
  });

  it('fails when the server closes before all is answered', async () => {
    const { app } = await startApp({ limits: { maxFileBytes: 2 } });
    const url = (await app.listen({ port: 0, host: '127.0.0.1' })).replace('http', 'ws');
    await expect(client(`${url}/stream`, ['bad'])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('closed with 1009 ; 1 not answered'),
    });
  });
});
