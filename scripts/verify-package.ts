/**
 * `npm run verify:package`: packs the built product, installs the tarball in an empty folder as README.md says, and
 * classifies a photograph with what was installed: by its command, by its library, and by its server. Needs the registry
 * of npm, and nothing else of the network.
 */
import { ok } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBuiltServer } from './built-server.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'verydeep-package-'));
const app = join(folder, 'app');

const program = `
  import { readFile } from 'node:fs/promises';
  import { openEnsemble } from 'verydeep';
  const ensemble = await openEnsemble();
  const { classes } = await ensemble.classify(await readFile('photo.jpg'), { top: 1 });
  console.log(classes[0].label);
  await ensemble.close();
`;

try {
  const [tarball] = run('npm', ['pack', '--silent', '--pack-destination', folder], root).trim().split('\n');
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{ "type": "module", "private": true }');
  writeFileSync(join(app, 'program.js'), program);
  cpSync(join(root, 'examples/stop_sign.jpg'), join(app, 'photo.jpg'));
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', join(folder, tarball!)], app);

  says('the command', run('npx', ['--no', 'verydeep', 'classify', 'photo.jpg', '--top', '1'], app));
  says('the library', run(process.execPath, ['program.js'], app));
  const server = await startBuiltServer({}, join(app, 'node_modules/verydeep/dist/main.js'));
  try {
    const body = readFileSync(join(app, 'photo.jpg'));
    const response = await fetch(`${server.url}/classify?top=1`, { method: 'PUT', body });
    says('the server', await response.text());
    await server.stop();
  } finally {
    server.kill();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function run(command: string, parameters: readonly string[], cwd: string): string {
  return execFileSync(command, parameters, { cwd, encoding: 'utf8' });
}

function says(who: string, text: string): void {
  ok(/\bstop_sign\b/.test(text), `${who}: expected stop_sign; received ${text}`);
  console.log(`${who} of the installed package: stop_sign`);
}
