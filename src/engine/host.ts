/**
 * The program of an engine host: a child process with one engine, so that a forward pass blocks no server and a crash
 * in native code takes nobody along. It answers the calls of `remote.ts` one after the other, in their order.
 */
import { messageOf, VerydeepError } from '../errors.ts';
import { createEngine } from './create.ts';
import type { Engine } from './engine.ts';
import type { HostAnswer, HostRequest } from './host-protocol.ts';

// A Ctrl-C goes to the whole process group: the parent still drains then, and ends its hosts itself.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// The parent has gone, in whatever way.
process.on('disconnect', () => process.exit());

let engine: Engine | undefined;
let previous = Promise.resolve();

process.on('message', (request: HostRequest) => {
  previous = previous.then(() => answer(request)).then(send);
});

function send(message: HostAnswer): void {
  process.send!(message, undefined, undefined, () => {}); // a failure means that the parent has gone: see above
}

async function answer(request: HostRequest): Promise<HostAnswer> {
  const { id } = request;
  try {
    const result = await perform(request);
    return { id, rssBytes: process.memoryUsage.rss(), answer: result };
  } catch (error) {
    const code = error instanceof VerydeepError ? error.code : 'ENGINE_FAILED';
    return { id, rssBytes: process.memoryUsage.rss(), error: { code, message: messageOf(error) } };
  }
}

async function perform(request: HostRequest): Promise<HostAnswer['answer']> {
  if (request.call === 'create') {
    engine = await createEngine(request.argument);
    return engine.capabilities;
  }
  switch (request.call) {
    case 'load':
      return engine!.load(request.argument) as Promise<undefined>;
    case 'run':
      return engine!.run(request.argument);
    case 'unload':
      return engine!.unload(request.argument) as Promise<undefined>;
  }
}
