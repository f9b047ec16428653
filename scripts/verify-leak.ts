/**
 * `npm run verify:leak -- N`: N networks are made in oneDNN, updated once and dropped, after 800 that fill the caches of
 * oneDNN, libc and V8. Prints the growth of resident memory ten times on the way; it must stay under a tenth of what they
 * held together.
 */
import { makeAndDrop } from '../test/engine/onednn/dropped-networks.ts';
import { residentBytes } from '../test/engine/onednn/resident-bytes.ts';

const networks = Number(process.argv[2] ?? 1000);
const bytesEach = 0.5e6;

await makeAndDrop(800);
const before = residentBytes();
console.log(`before: ${(before / 1e6).toFixed(1)} MB`);
let grown = 0;
for (let i = 1; i <= 10; i++) {
  await makeAndDrop(networks / 10);
  grown = residentBytes() - before;
  console.log(`${(i * networks) / 10} networks: ${(grown / 1e6).toFixed(1)} MB more`);
}
process.exitCode = grown < (networks * bytesEach) / 10 ? 0 : 1;
