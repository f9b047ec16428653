import { describe, expect, it } from 'vitest';
import { createInPlaceRunner, withCopies, withoutCopies } from '../../../src/engine/onnx/in-place.ts';
import { createGraph } from '../../../src/engine/onnx/model.ts';
import { createRuntime } from '../../../src/engine/onnx/runtime.ts';

describe('outputs in place', () => {
  it.each([
    ['without copies', () => withoutCopies],
    ['with copies', () => withCopies],
    ['whichever this version allows', createInPlaceRunner],
  ] as const)('%s', async (_, choose) => {
    const runtime = await createRuntime({ device: 'cpu', threads: 1 });
    const runner = await choose(runtime);
    const graph = createGraph('add');
    const x = graph.input('x', 'float32', [3]);
    if (runner.sequenceFirst) {
      graph.sequenceOutput(graph.node('SequenceEmpty', [], { dtype: 1 }, 'sequence'), 'float32');
    }
    graph.output(graph.node('Add', [x, graph.input('y', 'float32', [3])], {}, 'sum'), 'float32', [3]);
    const session = await runtime.createSession(graph.encode());
    const total = new runtime.ort.Tensor('float32', new Float32Array(3), [3]);
    const step = new runtime.ort.Tensor('float32', Float32Array.of(1, 2, 3), [3]);
    for (let i = 0; i < 3; i++) await runner.run(session, { x: total, y: step }, { sum: total });
    expect(total.data).toEqual(Float32Array.of(3, 6, 9));
    // What really goes wrong is not taken for the end of a run.
    const short = new runtime.ort.Tensor('float32', new Float32Array(2), [2]);
    await expect(runner.run(session, { x: total, y: short }, { sum: total })).rejects.toThrow(/y/);
    await session.release();
  });
});
