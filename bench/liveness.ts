import { post } from './load.ts';
import { quantile } from './statistics.ts';

const clients = 64;
const durationMs = 10_000;

/** p99 of `/livez` while more images arrive than can be done, so that the queue is full. */
export async function measureLiveness(
  url: string,
  route: string,
  image: Uint8Array,
): Promise<{ livezP99Ms: number; refused: number }> {
  const end = performance.now() + durationMs;
  let refused = 0;
  const flood = async (): Promise<void> => {
    while (performance.now() < end) {
      if ((await post(url + route, image)) !== 429) continue;
      refused++;
      await pause(100);
    }
  };
  const flooding = Promise.all(Array.from({ length: clients }, flood));
  const times: number[] = [];
  while (performance.now() < end) {
    const start = performance.now();
    await (await fetch(`${url}/livez`)).arrayBuffer();
    times.push(performance.now() - start);
    await pause(10);
  }
  await flooding;
  return { livezP99Ms: quantile(times, 0.99), refused };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
