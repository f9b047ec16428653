/**
 * Arithmetic of a network's activations, and of the weights that its kernels read. Sums, posteriors, and the master
 * weights of a training are float32 in any case.
 */
export const precisions = ['fp32', 'bf16'] as const;

export type Precision = (typeof precisions)[number];
