/** One image posted to a route; answers the status. */
export async function post(url: string, image: Uint8Array): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    body: image as Uint8Array<ArrayBuffer>,
    headers: { 'content-type': 'image/jpeg' },
  });
  await response.arrayBuffer();
  return response.status;
}

/** Posts `count` images with up to `concurrency` on their way at once; answers the time of each, and of all, in ms. */
export async function load(
  url: string,
  images: readonly Uint8Array[],
  count: number,
  concurrency: number,
): Promise<{ latencies: number[]; totalMs: number }> {
  const latencies: number[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) {
      const image = images[next++ % images.length]!;
      const start = performance.now();
      const status = await post(url, image);
      if (status !== 200) throw new Error(`${url} answered ${status}`);
      latencies.push(performance.now() - start);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrency }, client));
  return { latencies, totalMs: performance.now() - start };
}
