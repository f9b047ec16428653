/** A parent that a test kills: it starts a host and prints the host's process id. */
import { createHost } from './hosts.ts';

const host = await createHost();
process.stdout.write(`${host.pid}\n`);
