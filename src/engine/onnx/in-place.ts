import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf } from '../../errors.ts';
import { createGraph } from './model.ts';
import type { Runtime } from './runtime.ts';

type Tensors = Readonly<Record<string, Tensor>>;

/**
 * Runs a session that writes its outputs into tensors that were given, which may be its inputs too (each such input
 * may have no reader but the operator that writes the output).
 */
export interface InPlaceRunner {
  /** Whether the model's outputs must begin with the empty sequence `sequence`. */
  readonly sequenceFirst: boolean;
  run(session: InferenceSession, feeds: Tensors, targets: Tensors): Promise<void>;
}

/** What onnxruntime-node 1.30 says of an output that is no tensor, once the run is over and nothing is converted yet. */
const stopped = 'Non tensor type is temporarily not supported.';

/**
 * onnxruntime-node writes its outputs into tensors that it is given, but then copies every one once more into a fresh
 * buffer: 0.6 s and 1.1 GB in a step of VGG-16. It converts the outputs in order and gives up at the first that is no
 * tensor; a model whose first output is an empty sequence therefore ends with all outputs written and none copied.
 * That hangs on one version's insides, so a model of one number tries it first, and if it does not work so any more
 * the plain way is taken, which copies.
 */
export async function createInPlaceRunner(runtime: Runtime): Promise<InPlaceRunner> {
  return (await avoidsCopies(runtime)) ? withoutCopies : withCopies;
}

/** Exported for its test. */
export const withoutCopies: InPlaceRunner = {
  sequenceFirst: true,
  async run(session, feeds, targets) {
    try {
      await session.run(feeds, { sequence: null, ...targets });
    } catch (error) {
      if (messageOf(error) === stopped) return;
      throw error;
    }
    throw new Error(`onnxruntime-node was expected to stop with "${stopped}"`);
  },
};

/** Exported for its test. */
export const withCopies: InPlaceRunner = {
  sequenceFirst: false,
  async run(session, feeds, targets) {
    const results = await session.run(feeds, targets);
    for (const [name, target] of Object.entries(targets)) {
      (target.data as Float32Array).set(results[name]!.data as Float32Array);
    }
  },
};

// --- helpers ---

/** Doubles a number in its own place, with the empty sequence in front. */
async function avoidsCopies({ ort, createSession }: Runtime): Promise<boolean> {
  const graph = createGraph('in-place');
  const x = graph.input('x', 'float32', [1]);
  graph.sequenceOutput(graph.node('SequenceEmpty', [], { dtype: 1 }, 'sequence'), 'float32');
  graph.output(graph.node('Add', [x, x], {}, 'y'), 'float32', [1]);
  const session = await createSession(graph.encode());
  const number = new ort.Tensor('float32', Float32Array.of(2), [1]);
  try {
    await withoutCopies.run(session, { x: number }, { y: number });
    return number.data[0] === 4;
  } catch {
    return false; // whatever it says now, the plain way is right
  } finally {
    await session.release();
  }
}
