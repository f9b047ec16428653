import { post } from './load.ts';
import { quantile } from './statistics.ts';

/** More than the queue's default bound holds of full-size D and E at 224 x 224 (5000 GFLOP, 70 an image). */
const clients = 96;
const probes = 1000;

/** p99 of `/livez` while more images arrive than can be done, from the first refusal (429) on. */
export async function measureLiveness(
  url: string,
  route: string,
  image: Uint8Array,
): Promise<{ livezP99Ms: number; refused: number }> {
  let refused = 0;
  let measured = false;
  const flood = async (): Promise<void> => {
    while (!measured) {
      if ((await post(url + route, image)) !== 429) continue;
      refused++;
      await pause(100);
    }
  };
  const flooding = Promise.all(Array.from({ length: clients }, flood));
  while (refused === 0) await pause(10);
  const times: number[] = [];
  while (times.length < probes) {
    const start = performance.now();
    await (await fetch(`${url}/livez`)).arrayBuffer();
    times.push(performance.now() - start);
    await pause(10);
  }
  measured = true;
  await flooding;
  return { livezP99Ms: quantile(times, 0.99), refused };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
