/**
 * The bare script that the service is measured against: onnxruntime-node and nothing else, the same graphs, batches of
 * uint8 pixels that are there already. It answers each message `{ count, runs }` with the milliseconds of `runs` passes
 * of `count` pictures through all networks.
 */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { forwardGraph } from '../src/engine/onnx/forward.ts';
import type { EnsembleNetwork } from '../src/ensembles/ensemble.ts';
import { openSafetensors } from '../src/formats/safetensors/read.ts';
import { threadLimit } from '../src/processes/threads.ts';
import { benchEnsemble, fullSize } from './ensemble.ts';

const { classifiers, crop } = await benchEnsemble('full', fullSize);
const sessions: InferenceSession[] = [];
for (const network of classifiers) sessions.push(await createSession(network));

process.on('message', async ({ count, runs }: { count: number; runs: number }) => {
  const pixels = new Uint8Array(count * crop * crop * 3).map((_, i) => i % 251);
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    for (const session of sessions) {
      await session.run(
        {
          pixels: new Tensor('uint8', pixels, [count, crop, crop, 3]),
          mirrors: new Tensor('int64', [0n], [1]),
        },
        ['posteriors'],
      );
    }
    times.push(performance.now() - start);
  }
  process.send!(times);
});
process.on('disconnect', () => process.exit());
process.send!('ready');

/** The model lies beside the weights, so that onnxruntime maps them from their own file. */
async function createSession({
  name,
  path,
  spec,
  preprocessing,
}: EnsembleNetwork): Promise<InferenceSession> {
  const { tensors } = openSafetensors(path);
  const model = join(dirname(path), `${name}.onnx`);
  await writeFile(
    model,
    forwardGraph(spec, preprocessing, (tensor) => ({
      location: `${name}.safetensors`,
      offset: tensors.get(tensor)!.offset,
      length: tensors.get(tensor)!.length,
    })),
  );
  return InferenceSession.create(model, { intraOpNumThreads: threadLimit(), enableMemPattern: false });
}
