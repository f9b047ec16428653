/**
 * `npm run verify:metrics`: lints what `GET /metrics` of the built server answers, after answers and refusals, with
 * Prometheus's own `promtool check metrics`. Skipped, and said so, when there is no promtool.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBuiltServer } from './built-server.ts';

if (spawnSync('promtool', ['--version']).error !== undefined)
  console.log("skipped: there is no promtool on the PATH (in Debian's package prometheus)");
else await checkMetrics();

async function checkMetrics(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'verydeep-metrics-'));
  const server = await startBuiltServer({ ADMIN_TOKEN: 'of-the-metrics-alone', DATA_DIR: folder });
  try {
    const body = await readFile(new URL('../examples/stop_sign.jpg', import.meta.url));
    for (const image of [body, 'no image'])
      await fetch(`${server.url}/localise`, { method: 'PUT', body: image });
    const input = await (await fetch(`${server.url}/metrics`)).text();
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    });
    console.log(`${input.split('\n').length} lines\n${stdout}${stderr}`.trimEnd());
    process.exitCode = status === 0 ? 0 : 1;
    await server.stop();
  } finally {
    server.kill();
    await rm(folder, { recursive: true, force: true });
  }
}
