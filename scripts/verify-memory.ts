/**
 * `npm run verify:memory`: VGG-16 at full size, 138 million hashed weights, is written as a candidate, checked, halved and made a
 * version again, all in this process. Prints how far its resident memory rose above what it was before each, at the highest
 * moment; at most 100 MB are allowed, of files of 553 MB. Needs 1.4 GB of room in the temporary folder.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCandidate } from '../src/ensembles/candidate.ts';
import { loadEnsemble } from '../src/ensembles/load.ts';
import { type NewNetwork, writeEnsembleVersion } from '../src/ensembles/write.ts';
import { openSafetensors } from '../src/formats/safetensors/read.ts';
import type { NetworkSpec } from '../src/network/architecture.ts';
import { storedAs } from '../src/network/weights.ts';
import { hashedSources } from '../test/network/hashed.ts';

const allowedBytes = 100e6;
const fullSize: NetworkSpec = {
  architecture: 'D',
  width: 1,
  fc: 4096,
  classes: 1000,
  crop: 224,
  head: 'classes',
};
const folder = mkdtempSync(join(tmpdir(), 'verydeep-'));

try {
  await everything(
    join(folder, 'small'),
    { ...fullSize, width: 1 / 16, fc: 64, classes: 10 },
    () => undefined,
  );
  await everything(join(folder, 'full'), fullSize, ({ what, fileBytes, grownBytes }) => {
    const isWithin = grownBytes <= allowedBytes;
    console.log(
      `${isWithin ? 'ok    ' : 'TOO MUCH'} ${what}, ${megabytes(fileBytes)}: ${megabytes(grownBytes)} more`,
    );
    if (!isWithin) process.exitCode = 1;
  });
} finally {
  rmSync(folder, { recursive: true });
}

interface Measured {
  readonly what: string;
  readonly fileBytes: number;
  readonly grownBytes: number;
}

async function everything(
  weights: string,
  spec: NetworkSpec,
  report: (row: Measured) => void,
): Promise<void> {
  const network = (tensors: NewNetwork['weights']): NewNetwork => ({
    name: 'd',
    ...spec,
    preprocessing: { channelOrder: 'rgb', scale: 1, mean: [124, 117, 104], std: [1, 1, 1] },
    trainingScale: { min: 256, max: 256 },
    provenance: { command: 'npm run verify:memory' },
    weights: tensors,
  });
  const labels = Array.from({ length: spec.classes }, (_, i) => `class ${i}`);
  const version = { ensemble: 'd', labels };
  const file = join(weights, 'd', '1', 'd.safetensors');
  const measure = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const before = startPeak();
    await work();
    report({ what, fileBytes: statSync(file).size, grownBytes: peakBytes() - before });
  };

  await measure('a candidate is written', () =>
    writeCandidate(weights, {
      ...version,
      networks: [network(hashedSources(spec, 1))],
      provenance: { command: 'npm run verify:memory', job: 'none' },
    }),
  );
  await measure('it is checked', () => loadEnsemble(weights, 'd', '1'));
  await measure('it is written with half the bits', () =>
    writeEnsembleVersion(weights, {
      ...version,
      version: '2',
      networks: [network(storedAs(openSafetensors(file).tensors, 'F16'))],
    }),
  );
  const { sha256 } = JSON.parse(readFileSync(join(weights, 'd', '1', 'manifest.json'), 'utf8')).networks[0];
  await measure('it becomes part of another version', () =>
    writeEnsembleVersion(weights, { ...version, version: '3', networks: [network({ path: file, sha256 })] }),
  );
}

/** Resident memory now; the highest since then is {@link peakBytes}. Linux can forget the peak of before. */
function startPeak(): number {
  if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5');
  return process.memoryUsage.rss();
}

function peakBytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))!;
  return Number(kilobytes) * 1024;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
