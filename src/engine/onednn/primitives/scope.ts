import { type Handle, misuse } from '../library/bindings.ts';
import { anyLayout, bytesOf, type DataType, dataType } from '../library/constants.ts';
import type { Onednn } from '../library/library.ts';

/** `any`: the primitive chooses; `rowMajor`: nchw of a map; `channelsLast`: nhwc in memory (dims stay n, c, h, w). */
export type Layout = 'any' | 'rowMajor' | 'channelsLast';

/** Who frees a native object. */
export interface Owner {
  readonly disposed: boolean;
}

/** A shape with type and layout in memory. */
export interface MemoryDesc {
  readonly owner: Owner;
  readonly handle: Handle;
  /** Zero for layout `any`. */
  readonly bytes: number;
}

/** Numbers at an address, as a descriptor says. */
export interface Memory {
  readonly desc: MemoryDesc;
  readonly address: bigint;
  readonly handle: Handle;
  readonly owner: Owner;
}

/** Numbers of JavaScript that primitives read and write where they are. */
export interface SharedMemory<T extends Numbers = Float32Array> extends Memory {
  readonly array: T;
}

/** What `build` makes in a scope, which is freed if that fails. */
export function buildIn<Owned extends { dispose(): void }, Built>(
  scope: Owned,
  build: (scope: Owned) => Built,
): Built {
  try {
    return build(scope);
  } catch (error) {
    scope.dispose();
    throw error;
  }
}

/** Numbers of f32, or the bit patterns of bf16. */
export type Numbers = Float32Array | Uint16Array;

/**
 * Owner of native objects and memory: everything made through it is freed by `dispose`, last made first. A native
 * object must not be used after that (the process would crash), so a network owns one scope and is dropped as a whole.
 * What is made of it, or run, after that throws ENGINE_FAILED.
 */
export interface Scope {
  readonly onednn: Onednn;
  readonly owner: Owner;
  own(handle: Handle, destroy: (handle: Handle) => void): Handle;
  desc(dims: readonly number[], type: DataType, layout: Layout): MemoryDesc;
  /** Rows `[first, first + count)` of a matrix, of any layout, over the matrix's own memory. */
  rows(matrix: MemoryDesc, first: number, dims: readonly [count: number, columns: number]): MemoryDesc;
  /** A copy of a descriptor that another scope, or a primitive descriptor of it, owns. */
  clone(desc: MemoryDesc): MemoryDesc;
  /** Address of new memory, not zeroed. */
  allocate(bytes: number): bigint;
  /** A memory of its own, or over part of another allocation. */
  memory(desc: MemoryDesc, address?: bigint): Memory;
  /** Memory for a primitive to work in, where the scope gives it; else each primitive has its own. */
  scratchpad?(desc: MemoryDesc): Memory;
  /** A memory over an array of exactly its length. */
  share<T extends Numbers>(desc: MemoryDesc, array: T): SharedMemory<T>;
  dispose(): void;
}

/** From this size on memory is aligned to huge pages and asks for them: fewer page-table walks in large convolutions. */
const hugePageBytes = 2 ** 21;
const adviseHugePages = 14;

export function createScope(onednn: Onednn): Scope {
  const releases: (() => void)[] = [];

  const owner = { disposed: false };
  const enter = (...others: readonly { readonly owner: Owner }[]): void => {
    for (const each of [{ owner }, ...others]) expectAlive(each);
  };

  const own = (handle: Handle, destroy: (handle: Handle) => void): Handle => {
    enter();
    releases.push(() => destroy(handle));
    return handle;
  };

  const allocate = (bytes: number): bigint => {
    enter();
    const huge = bytes >= hugePageBytes;
    const data: [bigint | null] = [null];
    if (onednn.allocate(data, huge ? hugePageBytes : 64, Math.max(64, bytes)) !== 0) {
      throw misuse(`expected ${bytes} bytes of memory, received none`);
    }
    const address = own(data[0]!, onednn.free);
    if (huge && process.platform === 'linux') onednn.advise(address, bytes, adviseHugePages); // a refusal costs speed only
    return address;
  };

  const memory = (desc: MemoryDesc, address = allocate(desc.bytes)): Memory => {
    enter(desc);
    const handle = own(onednn.memory(desc.handle, address), onednn.destroyMemory);
    return { owner, desc, address, handle };
  };

  const described = (handle: Handle): MemoryDesc => {
    own(handle, onednn.destroyMemoryDesc);
    return { owner, handle, bytes: Number(onednn.memoryDescBytes(handle)) };
  };

  return {
    onednn,
    owner,
    own,
    allocate,
    desc(dims, type, layout) {
      enter();
      expectSizes(dims);
      const sizes = BigInt64Array.from(dims, BigInt);
      const handle =
        layout === 'any'
          ? onednn.memoryDescAny(dims.length, sizes, dataType[type], anyLayout)
          : onednn.memoryDesc(dims.length, sizes, dataType[type], stridesOf(dims, layout));
      own(handle, onednn.destroyMemoryDesc);
      const bytes = layout === 'any' ? 0 : dims.reduce((a, b) => a * b, bytesOf[type]);
      return { owner, handle, bytes };
    },
    rows(matrix, first, dims) {
      enter(matrix);
      expectSizes(dims);
      const offsets = BigInt64Array.of(BigInt(first), 0n);
      return described(onednn.subMemoryDesc(matrix.handle, BigInt64Array.from(dims, BigInt), offsets));
    },
    clone(desc) {
      enter(desc);
      const { handle, bytes } = desc;
      return { owner, handle: own(onednn.cloneMemoryDesc(handle), onednn.destroyMemoryDesc), bytes };
    },
    memory,
    share(desc, array) {
      if (array.byteLength !== desc.bytes) {
        throw misuse(`expected an array of ${desc.bytes} bytes, received ${array.byteLength}`);
      }
      // Steps hold no references to memories, so the scope keeps the array from being collected.
      releases.push(() => array);
      return { ...memory(desc, onednn.addressOf(array)), array };
    },
    dispose() {
      owner.disposed = true;
      for (const release of releases.reverse()) release();
      releases.length = 0;
    },
  };
}

/** Throws ENGINE_FAILED if what is about to be used was freed. */
export function expectAlive({ owner }: { readonly owner: Owner }): void {
  if (owner.disposed) throw misuse('expected native objects that are not freed');
}

/** The handle of a native object that was not freed. */
export function handleOf(object: { readonly owner: Owner; readonly handle: Handle }): Handle {
  expectAlive(object);
  return object.handle;
}

/** Whether two descriptors mean the same bytes, so that no reorder is needed between them. */
export function sameDesc(scope: Scope, a: MemoryDesc, b: MemoryDesc): boolean {
  for (const each of [scope, a, b]) expectAlive(each);
  return scope.onednn.memoryDescEqual(a.handle, b.handle) !== 0;
}

export function fillWithZeros({ onednn }: Scope, { address, desc }: Memory): void {
  onednn.fill(address, 0, desc.bytes);
}

/** A new array for memories of this type and size. */
export function numbersFor(type: DataType, { bytes }: MemoryDesc): Numbers {
  return arrayOver(type, new ArrayBuffer(bytes));
}

/** An array of this type over all of a buffer. */
export function arrayOver(type: DataType, buffer: ArrayBuffer): Numbers {
  return type === 'f32' ? new Float32Array(buffer) : new Uint16Array(buffer);
}

// --- helpers ---

function expectSizes(dims: readonly number[]): void {
  if (!dims.every((size) => Number.isSafeInteger(size) && size > 0)) {
    throw misuse(`expected sizes of at least 1, received [${dims.join(', ')}]`);
  }
}

/** Elements from one index to the next, for each dimension. */
function stridesOf(dims: readonly number[], layout: 'rowMajor' | 'channelsLast'): BigInt64Array {
  const order = layout === 'rowMajor' ? dims.map((_, i) => i) : [0, 2, 3, 1];
  const strides = new BigInt64Array(dims.length);
  let stride = 1;
  for (const dim of order.toReversed()) {
    strides[dim] = BigInt(stride);
    stride *= dims[dim]!;
  }
  return strides;
}
