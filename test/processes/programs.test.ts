import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { forkProgram, programBeside, startThread } from '../../src/processes/programs.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const folder = temporaryFolder();

const files = {
  'package.json': '{ "type": "module" }',
  'child.ts': 'const text: string = process.argv[2]!;\nprocess.send!(text);',
  'child.js': 'const text = process.argv[2];\nprocess.send(text);',
  'thread.ts':
    "import { parentPort, workerData } from 'node:worker_threads';\nparentPort!.postMessage(workerData as string);",
  'thread.js':
    "import { parentPort, workerData } from 'node:worker_threads';\nparentPort.postMessage(workerData);",
};
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);

it.each(['ts', 'js'])(
  'run in a child process and in a thread, beside a module that ends in .%s',
  async (ending) => {
    const url = pathToFileURL(join(folder, `starts.${ending}`)).href;
    const child = forkProgram(programBeside(url, './child'), ['to a child'], {});
    expect((await once(child, 'message'))[0]).toBe('to a child');
    const thread = startThread(programBeside(url, './thread'), 'to a thread');
    expect((await once(thread, 'message'))[0]).toBe('to a thread');
  },
);
