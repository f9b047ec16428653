/**
 * `npm run smoke`: starts the built server with its embedded weights, sends it every picture of examples/, wrong
 * files too, and stops it with SIGTERM. Fails where one answer is not what a user must get.
 */
import { deepStrictEqual, equal, ok } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { parse } from 'node:path';

const root = new URL('../', import.meta.url);

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

const port = await freePort();
const address = `http://127.0.0.1:${port}`;
const server = spawn(process.execPath, [new URL('dist/main.js', root).pathname, 'serve'], {
  env: { ...process.env, HOST: '127.0.0.1', PORT: String(port), LOG_LEVEL: 'info' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const log: string[] = [];
server.stdout.setEncoding('utf8').on('data', (text: string) => log.push(text));
const exited = once(server, 'exit');

/** Polls, since readiness is what a probe sees. */
async function untilReady(): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline && server.exitCode === null) {
    const ready = await fetch(`${address}/readyz`).catch(() => undefined);
    if (ready?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the server did not become ready:\n${log.join('')}`);
}

interface Answer {
  results: { classes: { label: string; probability: number }[]; detections?: { box: { width: number } }[] }[];
}

try {
  await untilReady();
  for (const file of await readdir(new URL('examples/', root))) {
    if (!file.endsWith('.jpg')) continue;
    const body = await readFile(new URL(`examples/${file}`, root));
    const response = await fetch(`${address}/classify`, { method: 'PUT', body });
    const answer = (await response.json()) as Answer;
    equal(response.status, 200, JSON.stringify(answer));
    const best = answer.results[0]!.classes[0]!;
    console.log(`${file}: ${best.label} ${best.probability}`);
    equal(best.label, parse(file).name);

    const localised = await fetch(`${address}/localise`, { method: 'POST', body });
    equal(localised.status, 200);
    const { results } = (await localised.json()) as Answer;
    deepStrictEqual(results[0]!.classes, answer.results[0]!.classes);
    ok(results[0]!.detections!.length > 0 && results[0]!.detections!.every(({ box }) => box.width > 0));
  }
  const picture = await readFile(new URL('examples/stop_sign.jpg', root));
  const refused = async (body: Uint8Array | string, status: number, query = ''): Promise<void> => {
    const response = await fetch(`${address}/classify${query}`, { method: 'POST', body });
    equal(response.status, status, await response.text());
  };
  await refused('not a picture', 415);
  await refused(picture.subarray(0, picture.length / 2), 422);
  await refused('', 400);
  await refused(picture, 400, '?colour=red');
  ok((await (await fetch(`${address}/metrics`)).text()).includes('verydeep_'));

  server.kill('SIGTERM');
  const [code] = (await exited) as [number | null];
  equal(code, 0, 'exit code after SIGTERM');
} finally {
  server.kill('SIGKILL');
}
