/** Types of stored numbers, by the names that safetensors gives them, and the bytes of one number. */
export const bytesPerNumber = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I8: 1, U8: 1 } as const;

export type NumberType = keyof typeof bytesPerNumber;

export const numberTypes = Object.keys(bytesPerNumber) as NumberType[];

/** Types of floating-point numbers that a float32 holds without a loss: what weights are stored as. */
export const weightTypes = ['F32', 'F16', 'BF16'] as const satisfies readonly NumberType[];

export type WeightType = (typeof weightTypes)[number];
