/** The bytes of a NumPy file, version 1.0, of float32 `[rows, columns]` in row-major order. */
export function serialiseNpy(data: Float32Array, [rows, columns]: readonly [number, number]): Buffer {
  const head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const prefixBytes = 10;
  // Data starts at a multiple of 64 bytes; the header ends in a newline.
  const headerBytes = Math.ceil((prefixBytes + head.length + 1) / 64) * 64 - prefixBytes;
  const prefix = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, headerBytes & 255, headerBytes >> 8]);
  const header = Buffer.from(`${head.padEnd(headerBytes - 1)}\n`, 'latin1');
  return Buffer.concat([prefix, header, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}
