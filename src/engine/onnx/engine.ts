import type { InferenceSession } from 'onnxruntime-node';
import { messageOf, VerydeepError } from '../../errors.ts';
import { type ForwardSpec, isBoxHead } from '../../network/architecture.ts';
import { checkBatch } from '../check-batch.ts';
import type { Batch, Engine, NetworkOutput, NetworkSource, OutputMaps } from '../engine.ts';
import { forwardGraph } from './forward.ts';
import { initialisersOf } from './initialisers.ts';
import { createRuntime, type Runtime, type RuntimeOptions } from './runtime.ts';

interface Loaded {
  readonly spec: ForwardSpec;
  readonly session: InferenceSession;
}

/** An engine on onnxruntime. Throws DEVICE_UNAVAILABLE if the device or the runtime is not there. */
export async function createOnnxEngine(options: RuntimeOptions): Promise<Engine> {
  const runtime = await createRuntime(options);
  const loaded = new Map<string, Loaded>();

  const unload = async (id: string): Promise<void> => {
    const network = loaded.get(id);
    loaded.delete(id);
    await network?.session.release();
  };

  return {
    capabilities: { engine: 'onnx', device: options.device, threads: options.threads },
    async load(source) {
      const network = { spec: source.spec, session: await createSession(runtime, source) };
      await unload(source.id);
      loaded.set(source.id, network);
    },
    async run(batch) {
      checkBatch(batch, loaded);
      const outputs = new Map<string, NetworkOutput>();
      for (const id of batch.networks) outputs.set(id, await runNetwork(runtime, id, loaded.get(id)!, batch));
      return outputs;
    },
    unload,
    async dispose() {
      for (const id of [...loaded.keys()]) await unload(id);
    },
  };
}

// --- helpers ---

async function createSession(runtime: Runtime, source: NetworkSource): Promise<InferenceSession> {
  const { locate, data } = await initialisersOf(source);
  try {
    return await runtime.createSession(forwardGraph(source.spec, source.preprocessing, locate), data);
  } catch (cause) {
    throw new VerydeepError('ENGINE_FAILED', `network ${source.id} cannot be loaded: ${messageOf(cause)}`, {
      cause,
    });
  }
}

async function runNetwork(
  { ort }: Runtime,
  id: string,
  { spec, session }: Loaded,
  { pixels, count, height, width, flip, maps }: Batch,
): Promise<NetworkOutput> {
  const feeds = {
    pixels: new ort.Tensor('uint8', pixels, [count, height, width, 3]),
    mirrors: new ort.Tensor('int64', BigInt64Array.of(BigInt(flip ? count : 0)), [1]),
  };
  const fetches = isBoxHead(spec.head)
    ? ['maps']
    : spec.head === 'features'
      ? ['features']
      : ['posteriors', ...(maps ? ['maps'] : [])];
  try {
    const results = await session.run(feeds, fetches);
    return {
      ...(results.posteriors && { posteriors: results.posteriors.data as Float32Array }),
      ...(results.features && { features: results.features.data as Float32Array }),
      ...(results.maps && { maps: mapsOf(results.maps, count) }),
    };
  } catch (cause) {
    throw new VerydeepError('ENGINE_FAILED', `network ${id}: ${messageOf(cause)}`, { cause });
  }
}

/** `[views x count, outputs, h', w']` seen as `[views, count, outputs, h', w']`. */
function mapsOf({ data, dims }: InferenceSession.OnnxValueMapType[string], count: number): OutputMaps {
  const [pictures, outputs, height, width] = dims as [number, number, number, number];
  return { data: data as Float32Array, shape: [pictures / count, count, outputs, height, width] };
}
