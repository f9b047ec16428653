/**
 * Values of oneDNN's C headers (dnnl_types.h, dnnl_common_types.h) that are used here. They are the same in all of 3.x.
 */

/** `dnnl_data_type_t`. */
export const dataType = { bf16: 2, f32: 3 } as const;

/** `dnnl_data_type_undef`: a sum reads the destination as what it is. */
export const typeOfDestination = 0;

export type DataType = keyof typeof dataType;

/** Bytes of one number. */
export const bytesOf: Record<DataType, number> = { bf16: 2, f32: 4 };

/** `dnnl_format_tag_any`: the implementation chooses the layout. Other layouts are given by their strides. */
export const anyLayout = 1;

/** `dnnl_cpu`. */
export const cpuEngine = 1;

/** `dnnl_stream_in_order`. */
export const inOrderStream = 1;

/** `dnnl_scratchpad_mode_user`: the memory that a primitive works in is given to each run. */
export const givenScratchpad = 1;

/** `dnnl_prop_kind_t`. */
export const propagation = { training: 64, inference: 96 } as const;

/** `dnnl_alg_kind_t`. */
export const algorithm = {
  convolutionDirect: 0x1,
  relu: 0x20,
  /** ReLU whose backward pass reads the output of the forward pass. */
  reluFromOutput: 0x100,
  maxPooling: 0x1ff,
  add: 0x1fff0,
  multiply: 0x1fff1,
} as const;

/** `dnnl_query_t`: what a primitive descriptor can be asked for. */
export const query = {
  implementation: 8,
  source: 129,
  weightsGradient: 132,
  weights: 131,
  sourceGradient: 130,
  destination: 133,
  destinationGradient: 134,
  workspace: 135,
  scratchpad: 136,
} as const;

/** `DNNL_ARG_*`: the role of a memory in the execution of a primitive. */
export const argument = {
  source: 1,
  source1: 2,
  destination: 17,
  weights: 33,
  bias: 41,
  workspace: 64,
  scratchpad: 80,
  sourceGradient: 129,
  destinationGradient: 145,
  weightsGradient: 161,
  biasGradient: 169,
  scaleOfSource: 4096 + 1,
  scaleOfSource1: 4096 + 2,
} as const;

/** `dnnl_status_t` by value. */
export const statusNames = [
  'success',
  'out of memory',
  'invalid arguments',
  'unimplemented',
  'last implementation reached',
  'runtime error',
  'not required',
] as const;
