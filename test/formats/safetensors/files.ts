import { writeFileSync } from 'node:fs';

/** Writes a safetensors file by hand: its header as JSON or as it is, and its data. */
export function writeByHand(path: string, header: object | string, data: Uint8Array): void {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, json, data]));
}
