/** Conversions between float32 and the two 16-bit formats of safetensors. */

const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);

/** IEEE 754 half precision to float32. */
export function fromFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Float32 to IEEE 754 half precision, rounded to nearest, ties to even. */
export function toFloat16(value: number): number {
  floats[0] = value;
  const float = bits[0]!;
  const sign = (float >>> 16) & 0x8000;
  const magnitude = float & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // not a number
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds to infinity
  if (magnitude >= 0x38800000) {
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
  // Subnormal: the unit is 2^-24, and Math.fround has already been applied.
  const units = Math.abs(floats[0]!) * 2 ** 24;
  const floor = Math.floor(units);
  const rest = units - floor;
  return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor);
}

/** bfloat16 to float32: the upper half of its bits. */
export function fromBfloat16(half: number): number {
  bits[0] = half << 16;
  return floats[0]!;
}

/** Float32 to bfloat16, rounded to nearest, ties to even. */
export function toBfloat16(value: number): number {
  floats[0] = value;
  const float = bits[0]!;
  if ((float & 0x7fffffff) > 0x7f800000) return (float >>> 16) | 0x40;
  return ((float + 0x7fff + ((float >>> 16) & 1)) >>> 16) & 0xffff;
}
