/** Takes the lock of the path given, says so by a line, and releases it when its stdin ends. */
import { once } from 'node:events';
import { lockFile } from '../../src/files/lock.ts';

const lock = await lockFile(process.argv[2]!, 0);
process.stdout.write('locked\n');
process.stdin.resume();
await once(process.stdin, 'end');
lock.release();
