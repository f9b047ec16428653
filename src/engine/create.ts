import type { Device } from './devices.ts';
import type { Engine } from './engine.ts';

export const engineNames = ['onnx', 'onednn', 'reference'] as const;

export type EngineName = (typeof engineNames)[number];

export interface EngineOptions {
  readonly engine: EngineName;
  readonly device: Device;
  readonly threads: number;
  /** Other processes compute on the same cores: threads that wait for work must sleep, not spin. */
  readonly sharedCores: boolean;
  /** Arithmetic of oneDNN; `fp32` where not given. The others compute in fp32. */
  readonly precision?: 'fp32' | 'bf16';
  /** Path of oneDNN's library; searched for where not given. */
  readonly onednnLibrary?: string;
}

/**
 * Creates an engine in this process. Its runtime is loaded only now. Throws DEVICE_UNAVAILABLE where the device or the
 * runtime is not there.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { device, threads, sharedCores, precision = 'fp32', onednnLibrary } = options;
  switch (options.engine) {
    case 'onnx': {
      const { createOnnxEngine } = await import('./onnx/engine.ts');
      return createOnnxEngine({ device, threads, sharedCores });
    }
    case 'onednn': {
      const { createOnednnEngine } = await import('./onednn/engine.ts');
      return createOnednnEngine({ threads, precision, ...(onednnLibrary && { libraryPath: onednnLibrary }) });
    }
    case 'reference': {
      const { createReferenceEngine } = await import('./reference/engine.ts');
      return createReferenceEngine();
    }
  }
}
