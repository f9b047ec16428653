import type { InferenceSession } from 'onnxruntime-node';
import { messageOf, VerydeepError } from '../../errors.ts';
import { type Device, kindOf } from '../devices.ts';
import { createGraph } from './model.ts';
import { needsOfOnnxruntime } from './needs.ts';

export type Ort = typeof import('onnxruntime-node');

export interface RuntimeOptions {
  readonly device: Device;
  readonly threads: number;
  /** Other processes compute on the same cores: threads that wait for work sleep instead of spinning. */
  readonly sharedCores?: boolean;
}

/** What a session reads besides its model: files of a folder, or buffers by name. */
export interface SessionData {
  readonly folder?: string;
  readonly buffers?: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/** onnxruntime with one device chosen. */
export interface Runtime {
  readonly ort: Ort;
  createSession(model: Uint8Array, data?: SessionData): Promise<InferenceSession>;
}

/**
 * Loads onnxruntime and tries the device on a model of one operator, so that a device that is not there is known at
 * once and never replaced by the CPU in silence. Throws DEVICE_UNAVAILABLE with the reason and what to do.
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  try {
    const ort = await import('onnxruntime-node');
    ort.env.logLevel = 'fatal'; // what goes wrong is in the errors that it throws
    const runtime: Runtime = {
      ort,
      createSession: (model, data = {}) => ort.InferenceSession.create(model, sessionOptions(options, data)),
    };
    await probe(runtime);
    return runtime;
  } catch (cause) {
    const reason = messageOf(cause).trim();
    const message = `device ${options.device} cannot be used by onnxruntime: ${reason}. It needs ${needs(options.device)}`;
    throw new VerydeepError('DEVICE_UNAVAILABLE', message, { cause });
  }
}

// --- helpers ---

/**
 * Memory patterns are off: pictures come in many sizes, and a pattern for each was measured to cost memory (417 MB
 * against 369 after 150 shapes) and to gain nothing.
 */
function sessionOptions(
  { device, threads, sharedCores = false }: RuntimeOptions,
  { folder, buffers }: SessionData,
): InferenceSession.SessionOptions {
  const session = {
    ...(sharedCores && { intra_op: { allow_spinning: '0' } }),
    ...(folder !== undefined && { model_external_initializers_file_folder_path: folder }),
  };
  return {
    executionProviders: executionProviders(device),
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    enableMemPattern: false,
    extra: { session },
    // onnxruntime-node's own option, which the common typings know only for the web.
    ...(buffers && { externalData: buffers }),
  };
}

function executionProviders(device: Device): InferenceSession.ExecutionProviderConfig[] {
  const [name, index] = device.split(':') as [string, string?];
  if (index === undefined) return [name];
  const deviceId = Number(index);
  const cuda = { name: 'cuda', deviceId } as const;
  // TensorRT leaves to CUDA what it has no kernel for.
  return name === 'cuda' ? [cuda] : [{ name: 'tensorrt', deviceId }, cuda];
}

async function probe({ ort, createSession }: Runtime): Promise<void> {
  const graph = createGraph('probe');
  const x = graph.input('x', 'float32', [1]);
  graph.output(graph.node('Add', [x, x]), 'float32', [1]);
  const session = await createSession(graph.encode());
  await session.run({ x: new ort.Tensor('float32', [1], [1]) });
  await session.release();
}

function needs(device: Device): string {
  const kind = kindOf(device);
  return `${needsOfOnnxruntime[kind]}${kind === 'cpu' ? '' : '; or choose device cpu'}`;
}
