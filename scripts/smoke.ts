/**
 * `npm run smoke`: starts the built server with its embedded weights, sends it every picture of examples/, wrong
 * files too, and stops it with SIGTERM. Fails if one answer is not what a user must get.
 */
import { deepStrictEqual, equal, ok } from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { parse } from 'node:path';
import { startBuiltServer } from './built-server.ts';

const examples = new URL('../examples/', import.meta.url);

interface Answer {
  results: { classes: { label: string; probability: number }[]; detections?: { box: { width: number } }[] }[];
}

const server = await startBuiltServer();
const { url } = server;
try {
  for (const file of await readdir(examples)) {
    if (!file.endsWith('.jpg')) continue;
    const body = await readFile(new URL(file, examples));
    const response = await fetch(`${url}/classify`, { method: 'PUT', body });
    const answer = (await response.json()) as Answer;
    equal(response.status, 200, JSON.stringify(answer));
    const best = answer.results[0]!.classes[0]!;
    console.log(`${file}: ${best.label} ${best.probability}`);
    equal(best.label, parse(file).name);

    const localised = await fetch(`${url}/localise`, { method: 'POST', body });
    equal(localised.status, 200);
    const { results } = (await localised.json()) as Answer;
    deepStrictEqual(results[0]!.classes, answer.results[0]!.classes);
    ok(results[0]!.detections!.length > 0 && results[0]!.detections!.every(({ box }) => box.width > 0));
  }
  const picture = await readFile(new URL('stop_sign.jpg', examples));
  const refused = async (body: Uint8Array | string, status: number, query = ''): Promise<void> => {
    const response = await fetch(`${url}/classify${query}`, { method: 'POST', body });
    equal(response.status, status, await response.text());
  };
  await refused('not a picture', 415);
  await refused(picture.subarray(0, picture.length / 2), 422);
  await refused('', 400);
  await refused(picture, 400, '?colour=red');
  ok((await (await fetch(`${url}/metrics`)).text()).includes('verydeep_'));
  equal(await server.stop(), 0, 'exit code after SIGTERM');
} finally {
  server.kill();
}
