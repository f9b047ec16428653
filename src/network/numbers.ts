import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half.ts';
import { bytesPerNumber, type NumberType, type WeightType } from './number-types.ts';

/** What happens to parts of tensors (weights.ts): little-endian bytes of whole numbers, aligned for a typed array. */

/** The numbers as float32: a view if they are that already, else a copy. */
export function toFloat32(part: Uint8Array, type: NumberType): Float32Array {
  switch (type) {
    case 'F32':
      return viewOf(part, Float32Array, type);
    case 'F16':
      return Float32Array.from(viewOf(part, Uint16Array, type), fromFloat16);
    case 'BF16':
      return Float32Array.from(viewOf(part, Uint16Array, type), fromBfloat16);
    case 'F64':
      return Float32Array.from(viewOf(part, Float64Array, type));
    case 'I64':
      return Float32Array.from(viewOf(part, BigInt64Array, type), Number);
    case 'I32':
      return Float32Array.from(viewOf(part, Int32Array, type));
    case 'I8':
      return Float32Array.from(viewOf(part, Int8Array, type));
    case 'U8':
      return Float32Array.from(part);
  }
}

/** Float32 numbers as bytes of `type`, rounded to nearest, ties to even: a view if that is float32, else a copy. */
export function fromFloat32(numbers: Float32Array, type: WeightType): Uint8Array {
  switch (type) {
    case 'F32':
      return bytesOf(numbers);
    case 'F16':
      return bytesOf(Uint16Array.from(numbers, toFloat16));
    case 'BF16':
      return bytesOf(Uint16Array.from(numbers, toBfloat16));
  }
}

/** Whether none of the numbers is infinite or not a number. */
export function areFinite(part: Uint8Array, type: NumberType): boolean {
  switch (type) {
    case 'F32':
      return sumOfZeros(viewOf(part, Float32Array, type)) === 0;
    case 'F64':
      return sumOfZeros(viewOf(part, Float64Array, type)) === 0;
    case 'F16':
      return haveOtherBits(viewOf(part, Uint16Array, type), 0x7c00);
    case 'BF16':
      return haveOtherBits(viewOf(part, Uint16Array, type), 0x7f80);
    default:
      return true;
  }
}

// --- helpers ---

/** x * 0 is 0, or NaN, which stays. */
function sumOfZeros(numbers: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += numbers[i]! * 0;
  return sum;
}

/** An exponent of ones alone is infinity or not a number. */
function haveOtherBits(numbers: Uint16Array, exponent: number): boolean {
  for (let i = 0; i < numbers.length; i++) if ((numbers[i]! & exponent) === exponent) return false;
  return true;
}

type View<T> = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => T;

function viewOf<T>({ buffer, byteOffset, byteLength }: Uint8Array, View: View<T>, type: NumberType): T {
  return new View(buffer, byteOffset, byteLength / bytesPerNumber[type]);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
