/** `npm run verify`: everything that CI runs beside the tests, one line a check, and the count at the end. */
import { spawnSync } from 'node:child_process';

const checks = [
  ['types', 'npm run --silent typecheck'],
  ['lint and format', 'npm run --silent check'],
  ['openapi.yaml is what the routes say', 'npm run --silent openapi -- --check'],
  ['tables in README.md and docs/ are what the schemas say', 'npm run --silent docs -- --check'],
  ['openapi.yaml has no fault that Redocly knows', 'npm run --silent openapi:lint'],
  ['resample-kernel.ts is what the .wat says', 'npm run --silent wasm -- --check'],
  ['build', 'npm run --silent build'],
  ['engines agree with PyTorch', 'npm run --silent verify:reference -- test/fixtures/reference --small'],
  ['full size in batches: same answers, no slow implementation', 'npm run --silent verify:batches'],
  ['memory is flat over sizes of pictures', 'npm run --silent verify:leak -- shapes 400 100'],
  ['the real server answers real pictures', 'npm run --silent smoke'],
  ['Prometheus understands the metrics', 'npm run --silent verify:metrics'],
  ['the package installs in an empty folder and classifies', 'npm run --silent verify:package'],
  ['hostile and broken clients do no harm', 'npm run --silent verify:attacks'],
] as const;

let failed = 0;
let skipped = 0;
for (const [name, command] of checks) {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(command, { shell: true, encoding: 'utf8' });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const reason = /^skipped: (.*)$/m.exec(stdout)?.[1];
  if (status !== 0) {
    failed += 1;
    console.log(`FAILED  ${name} (${seconds} s)`);
    console.log(`${stdout}${stderr}`.replace(/^/gm, '        '));
  } else if (reason !== undefined) {
    skipped += 1;
    console.log(`skipped ${name}: ${reason}`);
  } else console.log(`ok      ${name} (${seconds} s)`);
}
console.log(`${checks.length - failed - skipped} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
