import { load } from './load.ts';
import { photograph } from './photographs.ts';
import type { Server } from './server.ts';
import { slope } from './statistics.ts';

const samples = 20;

/**
 * Growth of resident memory in bytes a request (least squares) over `requests` images of several sizes, after a quarter
 * as many that warm caches and pools.
 */
export async function measureMemorySlope(
  server: Server,
  requests: number,
): Promise<{ requests: number; serverBytesPerRequest: number; hostBytesPerRequest: number }> {
  const sizes = [
    [320, 240],
    [240, 320],
    [640, 480],
    [500, 500],
  ] as const;
  const images = await Promise.all(sizes.map(([width, height], i) => photograph(width, height, i)));
  const send = (count: number) => load(`${server.url}/classify`, images, count, 8);
  await send(Math.ceil(requests / 4));
  const points: { done: number; serverBytes: number; hostBytes: number }[] = [];
  for (let i = 1; i <= samples; i++) {
    await send(Math.ceil(requests / samples));
    points.push({ done: i * Math.ceil(requests / samples), ...server.memory() });
  }
  return {
    requests,
    serverBytesPerRequest: slope(points.map(({ done, serverBytes }) => [done, serverBytes])),
    hostBytesPerRequest: slope(points.map(({ done, hostBytes }) => [done, hostBytes])),
  };
}
