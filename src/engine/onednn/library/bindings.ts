import type { LibraryHandle } from 'koffi';
import { VerydeepError } from '../../../errors.ts';
import { cpuEngine, inOrderStream, query, statusNames } from './constants.ts';

/** Address of a native object. */
export type Handle = bigint;

export type Bindings = ReturnType<typeof bind>;

/**
 * Primitives that the library keeps when nobody uses them. oneDNN before 3.5 loses 35 KB (170 KB with AMX) of each
 * convolution that it forgets and makes anew, so it keeps those of all usual sizes of pictures; one takes 0.1 MB, 0.3 MB with AMX.
 */
const cachedPrimitives = 4096;

/** A call of oneDNN that answered another status than success. */
export class OnednnError extends VerydeepError {
  readonly status: number;

  constructor(call: string, status: number) {
    super('ENGINE_FAILED', `oneDNN: ${call}: ${statusNames[status] ?? `status ${status}`}`);
    this.status = status;
  }

  /** No implementation for these types, layouts and shapes on this CPU. */
  get unimplemented(): boolean {
    return this.status === 3;
  }
}

/** A call that would read or write where nothing is: thrown before it is made. */
export function misuse(message: string): VerydeepError {
  return new VerydeepError('ENGINE_FAILED', `oneDNN: ${message}`);
}

/**
 * oneDNN's C functions as used here and libc's for memory. `create` of them answer the handle of a new object; any
 * status but success is thrown as {@link OnednnError}.
 */
export function bind(library: LibraryHandle, libc: LibraryHandle) {
  const check = (name: string, parameters: string) => {
    const call = library.func(`int dnnl_${name}(${parameters})`);
    return (...values: unknown[]): void => {
      const status: number = call(...values);
      if (status !== 0) throw new OnednnError(name, status);
    };
  };
  const create = (name: string, parameters = '') => {
    const call = check(name, `_Out_ void **created${parameters && `, ${parameters}`}`);
    return (...values: unknown[]): Handle => {
      const created: [Handle | null] = [null];
      call(created, ...values);
      return created[0]!;
    };
  };
  const engine = create('engine_create', 'int kind, size_t index')(cpuEngine, 0);
  const stream = create('stream_create', 'void *engine, unsigned int flags')(engine, inOrderStream);
  const descriptor = (name: string, parameters: string) => {
    const call = create(`${name}_primitive_desc_create`, `void *engine, ${parameters}, void *attributes`);
    return (...values: unknown[]): Handle => call(engine, ...values);
  };
  const destroy = (name: string) => check(`${name}_destroy`, 'void *handle') as (handle: Handle) => void;

  const window = 'const int64_t *dilates, const int64_t *padLeft, const int64_t *padRight';
  const reorder = create(
    'reorder_primitive_desc_create',
    'void *source, void *sourceEngine, void *destination, void *destinationEngine, void *attributes',
  );
  const execute = library.func(
    'int dnnl_primitive_execute(void *primitive, void *stream, int count, const void *arguments)',
  ) as (primitive: Handle, stream: Handle, count: number, values: Buffer) => number;
  // Programs hold what they use; beyond them the library keeps primitives for networks that share shapes.
  if (process.env.ONEDNN_PRIMITIVE_CACHE_CAPACITY === undefined) {
    check('set_primitive_cache_capacity', 'int primitives')(cachedPrimitives);
  }
  const wait = check('stream_wait', 'void *stream');
  const queryText = check(
    'primitive_desc_query',
    'void *descriptor, int what, int index, _Out_ const char **text',
  );
  const memory = create('memory_create', 'void *desc, void *engine, void *data');

  return {
    /** Threads of OpenMP for the calls that follow. Primitives must run with as many as they were created for. */
    setThreads: library.func('void omp_set_num_threads(int threads)') as (threads: number) => void,

    memoryDesc: create(
      'memory_desc_create_with_strides',
      'int rank, const int64_t *dims, int type, const int64_t *strides',
    ),
    memoryDescAny: create('memory_desc_create_with_tag', 'int rank, const int64_t *dims, int type, int tag'),
    /** Part of another descriptor, from `offsets` on: over the same memory. */
    subMemoryDesc: create(
      'memory_desc_create_submemory',
      'const void *parent, const int64_t *dims, const int64_t *offsets',
    ),
    memoryDescBytes: library.func('size_t dnnl_memory_desc_get_size(void *desc)') as (desc: Handle) => number,
    memoryDescEqual: library.func('int dnnl_memory_desc_equal(void *a, void *b)') as (
      a: Handle,
      b: Handle,
    ) => number,
    cloneMemoryDesc: create('memory_desc_clone', 'const void *desc'),
    destroyMemoryDesc: destroy('memory_desc'),

    memory: (desc: Handle, data: bigint): Handle => memory(desc, engine, data),
    setMemoryData: check('memory_set_data_handle', 'void *memory, void *data'),
    destroyMemory: destroy('memory'),

    attributes: create('primitive_attr_create'),
    setPostOps: check('primitive_attr_set_post_ops', 'void *attributes, void *postOps'),
    setScratchpadMode: check('primitive_attr_set_scratchpad_mode', 'void *attributes, int mode'),
    destroyAttributes: destroy('primitive_attr'),
    postOps: create('post_ops_create'),
    setScales: check('primitive_attr_set_scales_mask', 'void *attributes, int argument, int mask'),
    appendEltwise: check('post_ops_append_eltwise', 'void *postOps, int algorithm, float alpha, float beta'),
    appendSum: check('post_ops_append_sum', 'void *postOps, float scale, int zeroPoint, int type'),
    destroyPostOps: destroy('post_ops'),

    convolutionForward: descriptor(
      'convolution_forward',
      `int propagation, int algorithm, void *source, void *weights, void *bias, void *destination, const int64_t *strides, ${window}`,
    ),
    convolutionBackwardData: descriptor(
      'convolution_backward_data',
      `int algorithm, void *source, void *weights, void *destination, const int64_t *strides, ${window}, void *forward`,
    ),
    convolutionBackwardWeights: descriptor(
      'convolution_backward_weights',
      `int algorithm, void *source, void *weights, void *bias, void *destination, const int64_t *strides, ${window}, void *forward`,
    ),
    innerProductForward: descriptor(
      'inner_product_forward',
      'int propagation, void *source, void *weights, void *bias, void *destination',
    ),
    innerProductBackwardData: descriptor(
      'inner_product_backward_data',
      'void *source, void *weights, void *destination, void *forward',
    ),
    innerProductBackwardWeights: descriptor(
      'inner_product_backward_weights',
      'void *source, void *weights, void *bias, void *destination, void *forward',
    ),
    poolingForward: descriptor(
      'pooling_forward',
      `int propagation, int algorithm, void *source, void *destination, const int64_t *strides, const int64_t *kernel, ${window}`,
    ),
    poolingBackward: descriptor(
      'pooling_backward',
      `int algorithm, void *source, void *destination, const int64_t *strides, const int64_t *kernel, ${window}, void *forward`,
    ),
    eltwiseForward: descriptor(
      'eltwise_forward',
      'int propagation, int algorithm, void *source, void *destination, float alpha, float beta',
    ),
    eltwiseBackward: descriptor(
      'eltwise_backward',
      'int algorithm, void *sourceGradient, void *destinationGradient, void *data, float alpha, float beta, void *forward',
    ),
    binary: descriptor('binary', 'int algorithm, void *source0, void *source1, void *destination'),
    reorder: (source: Handle, destination: Handle): Handle =>
      reorder(source, engine, destination, engine, null),

    queryMemoryDesc: library.func(
      'void *dnnl_primitive_desc_query_md(void *descriptor, int what, int index)',
    ) as (descriptor: Handle, what: number, index: number) => Handle | null,
    /** Name of the implementation that a primitive descriptor has chosen: `brgconv:avx512_core_bf16`. */
    implementation: (descriptor: Handle): string => {
      const name: [string] = [''];
      queryText(descriptor, query.implementation, 0, name);
      return name[0];
    },
    destroyPrimitiveDesc: destroy('primitive_desc'),

    primitive: create('primitive_create', 'void *descriptor'),
    /** `values` is an array of `dnnl_exec_arg_t`, `count` long; `label` is for the error. */
    execute(label: string, primitive: Handle, count: number, values: Buffer): void {
      const status = execute(primitive, stream, count, values);
      if (status !== 0) throw new OnednnError(`execution of ${label}`, status);
    },
    destroyPrimitive: destroy('primitive'),
    /** Waits for all that was executed. */
    wait: (): void => wait(stream),

    allocate: libc.func('int posix_memalign(_Out_ void **data, size_t alignment, size_t bytes)') as (
      data: [bigint | null],
      alignment: number,
      bytes: number,
    ) => number,
    advise: libc.func('int madvise(void *data, size_t bytes, int advice)') as (
      data: bigint,
      bytes: number,
      advice: number,
    ) => number,
    fill: libc.func('void *memset(void *data, int byte, size_t bytes)') as (
      data: bigint,
      byte: number,
      bytes: number,
    ) => bigint,
    copy: libc.func('void *memcpy(void *to, const void *from, size_t bytes)') as (
      to: bigint,
      from: bigint,
      bytes: bigint,
    ) => bigint,
    free: libc.func('void free(void *data)') as (data: bigint) => void,
    /** Gives freed memory back to the system, where libc keeps it otherwise. */
    trim: trimmer(libc),
  };
}

// --- helpers ---

/** glibc's `malloc_trim`; other libraries of C have none. */
function trimmer(libc: LibraryHandle): () => void {
  try {
    const trim = libc.func('int malloc_trim(size_t keep)') as (keep: number) => number;
    return () => void trim(0);
  } catch {
    return () => {};
  }
}
