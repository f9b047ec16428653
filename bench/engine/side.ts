/**
 * An engine alone with VGG-16 at full size, `side.ts ENGINE PRECISION PATH`: answers each message `{ count, height, width }`
 * with the milliseconds of one pass and the process's resident bytes, and sleeps otherwise.
 */
import { type EngineName, engines } from '../../src/engine/engines.ts';
import type { Precision } from '../../src/engine/precision.ts';
import { threadLimit } from '../../src/processes/threads.ts';
import { benchEnsemble, fullSize } from '../ensemble.ts';

/** What a pass is made of. */
export interface Pass {
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

export interface Measured {
  readonly ms: number;
  readonly rssBytes: number;
}

const [engine, precision] = process.argv.slice(2) as [EngineName, Precision];
const placement = { device: 'cpu', threads: threadLimit(), sharedCores: true } as const;
const side = await engines.createEngine({ engine, precision, ...placement });
const [network] = (await benchEnsemble('full', fullSize)).classifiers;
await side.load({ ...network!, id: 'd', weights: { path: network!.path } });

process.on('message', async ({ count, height, width }: Pass) => {
  const pixels = new Uint8Array(count * height * width * 3).map((_, i) => i % 251);
  const start = performance.now();
  await side.run({ networks: ['d'], pixels, count, height, width, flip: false, maps: false });
  const ms = performance.now() - start;
  process.send!({ ms, rssBytes: process.memoryUsage.rss() } satisfies Measured);
});
process.on('disconnect', () => process.exit());
process.send!('ready');
