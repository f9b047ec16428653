import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const headerBytes = 64;
const elf = Buffer.from('\x7fELF\x02\x01', 'latin1'); // 64 bits, little-endian

/**
 * Throws if a file is an ELF library whose end is missing: the loader maps it as it is, and the process dies when it
 * touches what is not there. Other files are left to the loader, which refuses them.
 */
export function expectWholeFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(headerBytes);
    readSync(file, header, 0, headerBytes, 0);
    if (!header.subarray(0, elf.length).equals(elf)) return;
    // The table of sections is the last thing in a library: e_shoff, e_shentsize, e_shnum.
    const end = Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60);
    const { size } = fstatSync(file);
    if (end > size) throw new Error(`expected a library of ${end} bytes, received its first ${size}`);
  } finally {
    closeSync(file);
  }
}
