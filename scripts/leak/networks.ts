import { makeAndDrop } from '../../test/engine/onednn/dropped-networks.ts';
import { residentBytes } from '../../test/engine/onednn/resident-bytes.ts';

const bytesEach = 0.5e6;

/**
 * Networks are made in oneDNN, updated once and dropped, after 800 that fill the caches of oneDNN, libc and V8. Prints the
 * growth of resident memory ten times on the way. Returns whether it stays under a tenth of what they held together.
 */
export async function networksLeaveNothing(networks: number): Promise<boolean> {
  await makeAndDrop(800);
  const before = residentBytes();
  console.log(`before: ${(before / 1e6).toFixed(1)} MB`);
  let grown = 0;
  for (let i = 1; i <= 10; i++) {
    await makeAndDrop(networks / 10);
    grown = residentBytes() - before;
    console.log(`${(i * networks) / 10} networks: ${(grown / 1e6).toFixed(1)} MB more`);
  }
  return grown < (networks * bytesEach) / 10;
}
