import { describe, expect, it } from 'vitest';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts';
import { describeEngine } from '../contract.ts';

describeEngine('the onnx engine', () => createOnnxEngine({ device: 'cpu', threads: 2 }));

describe('an onnx engine that shares its cores', () => {
  it('answers like any other', async () => {
    const engine = await createOnnxEngine({ device: 'cpu', threads: 2, sharedCores: true });
    expect(engine.capabilities).toEqual({ engine: 'onnx', device: 'cpu', threads: 2 });
    await engine.dispose();
  });
});

describe('a device that is not there', () => {
  // A number that no machine has, so that the test says the same if there are GPUs.
  it.each(['cuda:99', 'tensorrt:99'] as const)(
    '%s is refused with the reason and what it needs',
    async (device) => {
      const refused = createOnnxEngine({ device, threads: 1 });
      await expect(refused).rejects.toMatchObject({
        code: 'DEVICE_UNAVAILABLE',
        message: expect.stringMatching(/^device \w+:99 cannot be used by onnxruntime: .+needs an NVIDIA GPU/),
      });
    },
  );
});
