import type { Handle } from './bindings.ts';
import { algorithm, argument, propagation, query } from './constants.ts';
import { type Memory, type MemoryDesc, type Scope, sameDesc } from './scope.ts';

type Role = Exclude<keyof typeof query, 'implementation'>;

/** What a primitive will do, with the implementation chosen; its memory descriptors live as long as its scope. */
export interface PrimitiveDesc {
  readonly handle: Handle;
  readonly scope: Scope;
  /** oneDNN's name, for instance `brgconv:avx512_core_bf16`, `ref:any`. */
  readonly implementation: string;
  /** Memory that it wants for a role. */
  desc(role: Role): MemoryDesc;
}

/** One call of a primitive with its memories. */
export interface Step {
  /** For errors and profiles: layer and implementation, `features.0 (jit:avx512_core)`. */
  readonly label: string;
  run(): void;
}

export type Propagation = keyof typeof propagation;

/** Memories of a step by role. */
export type Arguments = Partial<Record<Exclude<keyof typeof argument, 'sources'>, Memory>>;

/** Throws where a memory is not what the primitive expects in its role: it would read or write beyond its end. */
export function createStep(label: string, desc: PrimitiveDesc, memories: Arguments): Step {
  const roles = Object.entries(memories) as [keyof Arguments, Memory][];
  for (const [role, memory] of roles) {
    if (role in query && !sameDesc(desc.scope, memory.desc, desc.desc(role as Role))) {
      throw new TypeError(`${label} (${desc.implementation}): expected another memory as ${role}`);
    }
  }
  return stepOf(
    label,
    desc,
    roles.map(([role, memory]) => [argument[role], memory]),
  );
}

// --- convolution, stride 1, output as large as input (kernel 3 padded by 1, kernel 1) or, unpadded, smaller ---

/** Descriptors of one convolution; layouts `any` where the implementation may choose. */
export interface ConvolutionDescs {
  readonly source: MemoryDesc;
  readonly weights: MemoryDesc;
  readonly bias: MemoryDesc;
  readonly destination: MemoryDesc;
  readonly padding: number;
}

export function convolutionForward(
  scope: Scope,
  descs: ConvolutionDescs,
  kind: Propagation,
  relu: boolean,
): PrimitiveDesc {
  const { source, weights, bias, destination, padding } = descs;
  return withRelu(scope, relu, (attributes) =>
    scope.onednn.convolutionForward(
      propagation[kind],
      algorithm.convolutionDirect,
      source.handle,
      weights.handle,
      bias.handle,
      destination.handle,
      ...windowOf(padding),
      attributes,
    ),
  );
}

export function convolutionBackwardData(
  scope: Scope,
  { source, weights, destination, padding }: ConvolutionDescs,
  forward: PrimitiveDesc,
): PrimitiveDesc {
  return describe(
    scope,
    scope.onednn.convolutionBackwardData(
      algorithm.convolutionDirect,
      source.handle,
      weights.handle,
      destination.handle,
      ...windowOf(padding),
      forward.handle,
      null,
    ),
  );
}

export function convolutionBackwardWeights(
  scope: Scope,
  { source, weights, bias, destination, padding }: ConvolutionDescs,
  forward: PrimitiveDesc,
): PrimitiveDesc {
  return describe(
    scope,
    scope.onednn.convolutionBackwardWeights(
      algorithm.convolutionDirect,
      source.handle,
      weights.handle,
      bias.handle,
      destination.handle,
      ...windowOf(padding),
      forward.handle,
      null,
    ),
  );
}

// --- inner product ---

export type InnerProductDescs = Omit<ConvolutionDescs, 'padding'>;

export function innerProductForward(
  scope: Scope,
  { source, weights, bias, destination }: InnerProductDescs,
  kind: Propagation,
  relu: boolean,
): PrimitiveDesc {
  return withRelu(scope, relu, (attributes) =>
    scope.onednn.innerProductForward(
      propagation[kind],
      source.handle,
      weights.handle,
      bias.handle,
      destination.handle,
      attributes,
    ),
  );
}

export function innerProductBackwardData(
  scope: Scope,
  { source, weights, destination }: InnerProductDescs,
  forward: PrimitiveDesc,
): PrimitiveDesc {
  return describe(
    scope,
    scope.onednn.innerProductBackwardData(
      source.handle,
      weights.handle,
      destination.handle,
      forward.handle,
      null,
    ),
  );
}

export function innerProductBackwardWeights(
  scope: Scope,
  { source, weights, bias, destination }: InnerProductDescs,
  forward: PrimitiveDesc,
): PrimitiveDesc {
  return describe(
    scope,
    scope.onednn.innerProductBackwardWeights(
      source.handle,
      weights.handle,
      bias.handle,
      destination.handle,
      forward.handle,
      null,
    ),
  );
}

// --- 2x2 max-pool of stride 2 ---

const poolWindow = [pair(2), pair(2), pair(0), pair(0), pair(0)] as const;

export function poolForward(
  scope: Scope,
  source: MemoryDesc,
  destination: MemoryDesc,
  kind: Propagation,
): PrimitiveDesc {
  return describe(
    scope,
    scope.onednn.poolingForward(
      propagation[kind],
      algorithm.maxPooling,
      source.handle,
      destination.handle,
      ...poolWindow,
      null,
    ),
  );
}

/** The gradient goes to the first of equal maxima, which the workspace of the forward pass remembers. */
export function poolBackward(
  scope: Scope,
  source: MemoryDesc,
  destination: MemoryDesc,
  forward: PrimitiveDesc,
): PrimitiveDesc {
  return describe(
    scope,
    scope.onednn.poolingBackward(
      algorithm.maxPooling,
      source.handle,
      destination.handle,
      ...poolWindow,
      forward.handle,
      null,
    ),
  );
}

// --- elementwise ---

/** gradient = output > 0 ? gradient : 0, in place; both of one layout. */
export function reluBackward(scope: Scope, label: string, output: Memory, gradient: Memory): Step {
  const { handle } = output.desc;
  const kind = algorithm.reluFromOutput;
  const forward = scope.onednn.eltwiseForward(propagation.training, kind, handle, handle, 0, 0, null);
  scope.own(forward, scope.onednn.destroyPrimitiveDesc);
  const desc = describe(
    scope,
    scope.onednn.eltwiseBackward(kind, handle, handle, handle, 0, 0, forward, null),
  );
  return createStep(label, desc, {
    destination: output,
    destinationGradient: gradient,
    sourceGradient: gradient,
  });
}

/** values = values x factors, in place. */
export function multiply(scope: Scope, label: string, values: Memory, factors: Memory): Step {
  const { desc } = values;
  const binary = scope.onednn.binary(algorithm.multiply, desc.handle, factors.desc.handle, desc.handle, null);
  return createStep(label, describe(scope, binary), {
    source: values,
    source1: factors,
    destination: values,
  });
}

/** Copies into another type or layout. */
export function reorder(scope: Scope, label: string, source: Memory, destination: Memory): Step {
  const desc = describe(scope, scope.onednn.reorder(source.desc.handle, destination.desc.handle));
  return createStep(label, desc, { source, destination });
}

/** first = sum of scales[i] x terms[i]; the first term is `first` itself. */
export function addScaled(
  scope: Scope,
  label: string,
  first: Memory,
  scales: readonly number[],
  others: readonly Memory[],
): Step {
  const terms = [first, ...others];
  const handles = BigUint64Array.from(terms, ({ desc }) => desc.handle);
  const sum = scope.onednn.sum(
    first.desc.handle,
    terms.length,
    Float32Array.from(scales),
    Buffer.from(handles.buffer),
    null,
  );
  return stepOf(label, describe(scope, sum), [
    ...terms.map((memory, i) => [argument.sources + i, memory] as const),
    [argument.destination, first],
  ]);
}

/** Runs the steps in order and waits for the last. */
export function runSteps(scope: Scope, steps: readonly Step[]): void {
  for (const step of steps) step.run();
  scope.onednn.wait();
}

// --- helpers ---

function pair(n: number): BigInt64Array {
  return BigInt64Array.of(BigInt(n), BigInt(n));
}

/** Strides, dilates, padding left and right. */
function windowOf(padding: number): BigInt64Array[] {
  return [pair(1), pair(0), pair(padding), pair(padding)];
}

function withRelu(scope: Scope, relu: boolean, create: (attributes: Handle | null) => Handle): PrimitiveDesc {
  if (!relu) return describe(scope, create(null));
  const { onednn } = scope;
  const attributes = onednn.attributes();
  const postOps = onednn.postOps();
  try {
    onednn.appendEltwise(postOps, algorithm.relu, 0, 0);
    onednn.setPostOps(attributes, postOps);
    return describe(scope, create(attributes));
  } finally {
    onednn.destroyPostOps(postOps);
    onednn.destroyAttributes(attributes);
  }
}

function describe(scope: Scope, handle: Handle): PrimitiveDesc {
  const { onednn } = scope;
  scope.own(handle, onednn.destroyPrimitiveDesc);
  return {
    handle,
    scope,
    implementation: onednn.implementation(handle),
    desc(role) {
      const wanted = onednn.queryMemoryDesc(handle, query[role], 0);
      if (wanted === null) throw new TypeError(`expected a primitive with a ${role}`);
      return { handle: wanted, bytes: Number(onednn.memoryDescBytes(wanted)) };
    },
  };
}

function stepOf(label: string, desc: PrimitiveDesc, memories: readonly (readonly [number, Memory])[]): Step {
  const { scope, implementation } = desc;
  const { onednn } = scope;
  const name = `${label} (${implementation})`;
  const primitive = scope.own(onednn.primitive(desc.handle), onednn.destroyPrimitive);
  // dnnl_exec_arg_t: a 32-bit role, four bytes of padding, the address of the memory object.
  const packed = Buffer.alloc(16 * memories.length);
  memories.forEach(([role, { handle }], i) => {
    packed.writeInt32LE(role, 16 * i);
    packed.writeBigUInt64LE(handle, 16 * i + 8);
  });
  return {
    label: name,
    run: () => onednn.execute(name, primitive, memories.length, packed),
  };
}
