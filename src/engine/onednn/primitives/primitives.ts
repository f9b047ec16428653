import { type Handle, misuse } from '../library/bindings.ts';
import { algorithm, argument, givenScratchpad, type propagation, query } from '../library/constants.ts';
import { expectAlive, type Memory, type MemoryDesc, type Owner, type Scope, sameDesc } from './scope.ts';

type Role = Exclude<keyof typeof query, 'implementation'>;

/** What a primitive will do, with the implementation chosen; its memory descriptors live as long as its scope. */
export interface PrimitiveDesc {
  readonly owner: Owner;
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
export type Arguments = Partial<Record<keyof typeof argument, Memory>>;

/** Throws where a memory is not what the primitive expects in its role: it would read or write beyond its end. */
export function createStep(label: string, desc: PrimitiveDesc, memories: Arguments): Step {
  const { scope, implementation } = desc;
  const { onednn } = scope;
  const name = `${label} (${implementation})`;
  const scratchpad = scratchpadOf(desc);
  const given: Arguments = scratchpad ? { ...memories, scratchpad } : memories;
  const roles = Object.entries(given) as [keyof Arguments, Memory][];
  const used = [scope, ...roles.map(([, memory]) => memory)];
  for (const each of used) expectAlive(each);
  for (const [role, memory] of roles) {
    if (role in query && !sameDesc(scope, memory.desc, desc.desc(role as Role))) {
      throw misuse(`${name}: expected another memory as ${role}`);
    }
  }
  const primitive = scope.own(onednn.primitive(desc.handle), onednn.destroyPrimitive);
  // dnnl_exec_arg_t: a 32-bit role, four bytes of padding, the address of the memory object.
  const packed = Buffer.alloc(16 * roles.length);
  roles.forEach(([role, { handle }], i) => {
    packed.writeInt32LE(argument[role], 16 * i);
    packed.writeBigUInt64LE(handle, 16 * i + 8);
  });
  return {
    label: name,
    run() {
      for (const each of used) expectAlive(each);
      onednn.execute(name, primitive, roles.length, packed);
    },
  };
}

/** Runs the steps in order and waits for the last. */
export function runSteps(scope: Scope, steps: readonly Step[]): void {
  for (const step of steps) step.run();
  scope.onednn.wait();
}

/** Takes over a new primitive descriptor. */
export function describePrimitive(scope: Scope, handle: Handle): PrimitiveDesc {
  const { onednn } = scope;
  scope.own(handle, onednn.destroyPrimitiveDesc);
  return {
    owner: scope.owner,
    handle,
    scope,
    implementation: onednn.implementation(handle),
    desc(role) {
      expectAlive(scope);
      const wanted = onednn.queryMemoryDesc(handle, query[role], 0);
      if (wanted === null) throw misuse(`expected a primitive with a ${role}`);
      return { owner: scope.owner, handle: wanted, bytes: Number(onednn.memoryDescBytes(wanted)) };
    },
  };
}

/** Creates a primitive descriptor with ReLU on its output, or without. */
export function withRelu(
  scope: Scope,
  relu: boolean,
  create: (attributes: Handle | null) => Handle,
): PrimitiveDesc {
  const append = (_: Handle, postOps: Handle): void =>
    scope.onednn.appendEltwise(postOps, algorithm.relu, 0, 0);
  return relu ? withAttributes(scope, append, create) : withoutPostOps(scope, create);
}

/** Creates a primitive descriptor without operations on its output. */
export function withoutPostOps(scope: Scope, create: (attributes: Handle | null) => Handle): PrimitiveDesc {
  return scope.scratchpad ? withAttributes(scope, () => {}, create) : describePrimitive(scope, create(null));
}

/** Creates a primitive descriptor with the attributes, and operations on its output, that `set` says. */
export function withAttributes(
  scope: Scope,
  set: (attributes: Handle, postOps: Handle) => void,
  create: (attributes: Handle) => Handle,
): PrimitiveDesc {
  const { onednn } = scope;
  const attributes = onednn.attributes();
  const postOps = onednn.postOps();
  try {
    set(attributes, postOps);
    onednn.setPostOps(attributes, postOps);
    if (scope.scratchpad) onednn.setScratchpadMode(attributes, givenScratchpad);
    return describePrimitive(scope, create(attributes));
  } finally {
    onednn.destroyPostOps(postOps);
    onednn.destroyAttributes(attributes);
  }
}

/** A number for both sides of a window, height and width. */
export function sides(n: number): BigInt64Array {
  return BigInt64Array.of(BigInt(n), BigInt(n));
}

// --- helpers ---

/** Memory for the primitive to work in, where it needs some and the scope gives it. */
function scratchpadOf({ scope, desc }: PrimitiveDesc): Memory | undefined {
  if (!scope.scratchpad) return undefined;
  const wanted = desc('scratchpad');
  return wanted.bytes > 0 ? scope.scratchpad(wanted) : undefined;
}
