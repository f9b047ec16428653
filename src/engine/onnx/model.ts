import {
  type AttributeProto,
  attributeTypes,
  dataTypes,
  encodeModel,
  externalLocation,
  type NodeProto,
  type TensorProto,
  type TypeProto,
  type ValueInfoProto,
} from './proto.ts';

export type DataType = keyof typeof dataTypes;

/** Number of a fixed dimension, or the name of one that is known only at run time. */
export type Dimension = number | string;

/** Whole numbers, text, or `{ float }` for the attributes that ONNX types as floating point. */
export type Attributes = Readonly<
  Record<string, number | string | readonly number[] | { readonly float: number }>
>;

/** Where the numbers of an external initialiser lie: a file of the session's folder, or a buffer given under that name. */
export interface ExternalData {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** Where the numbers of a tensor lie, by its name (`features.0.weight`). */
export type LocateTensor = (name: string) => ExternalData;

/** An ONNX graph in the making. Values are known by name; every method that makes one returns its name. */
export interface GraphBuilder {
  input(name: string, type: DataType, shape: readonly Dimension[]): string;
  /** Declares a value as an output of the graph. */
  output(value: string, type: DataType, shape: readonly Dimension[]): void;
  /** Declares a list of tensors as an output of the graph. */
  sequenceOutput(value: string, type: DataType): void;
  /** A small float32 constant. */
  floats(values: readonly number[], shape?: readonly number[]): string;
  /** A small int64 constant. */
  ints(values: readonly number[], shape?: readonly number[]): string;
  /** A float32 initialiser whose numbers stay outside the model, where `locate` says. */
  external(name: string, shape: readonly number[], locate: LocateTensor): string;
  /** Adds an operator with one output, called `name` if it is to be an output of the graph. */
  node(op: string, inputs: readonly string[], attributes?: Attributes, name?: string): string;
  /** Adds an operator with two outputs. */
  nodeOfTwo(op: string, inputs: readonly string[], attributes: Attributes): [string, string];
  /** The bytes of the model. */
  encode(): Uint8Array;
}

/** Opset 17 of 2022: every operator here has been in it or before it, and every execution provider knows it. */
const opset = 17;
const irVersion = 8;

export function createGraph(name: string): GraphBuilder {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const inputs: ValueInfoProto[] = [];
  const outputs: ValueInfoProto[] = [];
  let count = 0;

  const constant = (
    type: DataType,
    shape: readonly number[],
    numbers: Float32Array | BigInt64Array,
  ): string => {
    const rawData = new Uint8Array(numbers.buffer);
    const value = `constant_${count++}`;
    initializers.push({ name: value, dims: shape, dataType: dataTypes[type], rawData });
    return value;
  };

  const add = (op: string, from: readonly string[], to: readonly string[], attributes: Attributes): void => {
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
    nodes.push({ opType: op, name: to[0]!, input: from, output: to, attribute });
  };

  return {
    input(value, type, shape) {
      inputs.push(tensorInfo(value, type, shape));
      return value;
    },
    output(value, type, shape) {
      outputs.push(tensorInfo(value, type, shape));
    },
    sequenceOutput(value, type) {
      const elemType = { tensorType: { elemType: dataTypes[type] } };
      outputs.push({ name: value, type: { sequenceType: { elemType } } });
    },
    floats: (values, shape = [values.length]) => constant('float32', shape, Float32Array.from(values)),
    ints: (values, shape = [values.length]) => constant('int64', shape, BigInt64Array.from(values, BigInt)),
    external(value, shape, locate) {
      const { location, offset, length } = locate(value);
      const entries = { location, offset, length };
      initializers.push({
        name: value,
        dims: shape,
        dataType: dataTypes.float32,
        dataLocation: externalLocation,
        externalData: Object.entries(entries).map(([key, entry]) => ({ key, value: String(entry) })),
      });
      return value;
    },
    node(op, from, attributes = {}, value = `${op}_${count++}`) {
      add(op, from, [value], attributes);
      return value;
    },
    nodeOfTwo(op, from, attributes) {
      const first = `${op}_${count++}`;
      const second = `${op}_${count++}`;
      add(op, from, [first, second], attributes);
      return [first, second];
    },
    encode: () =>
      encodeModel({
        irVersion,
        producerName: 'verydeep',
        opsetImport: [{ domain: '', version: opset }],
        graph: { name, node: nodes, initializer: initializers, input: inputs, output: outputs },
      }),
  };
}

// --- helpers ---

function tensorInfo(name: string, type: DataType, shape: readonly Dimension[]): ValueInfoProto {
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  const tensorType: TypeProto['tensorType'] = { elemType: dataTypes[type], shape: { dim } };
  return { name, type: { tensorType } };
}

function attributeOf(name: string, value: Attributes[string]): AttributeProto {
  if (typeof value === 'number') return { name, type: attributeTypes.int, i: value };
  if (typeof value === 'string') return { name, type: attributeTypes.string, s: Buffer.from(value) };
  if ('float' in value) return { name, type: attributeTypes.float, f: value.float };
  return { name, type: attributeTypes.ints, ints: value };
}
