import { messageOf, VerydeepError } from '../errors.ts';
import type { CallAnswer, CallRequest, Calls } from './protocol.ts';

/**
 * The life of a child process of `calls.ts`: it answers the calls of its parent one after the other, in their
 * order, and ends with it.
 */
export function answerCalls<C extends Calls>(
  perform: (request: CallRequest<C>) => Promise<C[keyof C]['answer']>,
): void {
  // A Ctrl-C goes to the whole process group: the parent still drains then, and ends its children itself.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  // The parent has gone, in whatever way.
  process.on('disconnect', () => process.exit());

  const answer = async (request: CallRequest<C>): Promise<CallAnswer<C>> => {
    const { id } = request;
    try {
      const result = await perform(request);
      return { id, rssBytes: process.memoryUsage.rss(), answer: result };
    } catch (error) {
      const code = error instanceof VerydeepError ? error.code : 'ENGINE_FAILED';
      return { id, rssBytes: process.memoryUsage.rss(), error: { code, message: messageOf(error) } };
    }
  };
  let previous = Promise.resolve();
  process.on('message', (request: CallRequest<C>) => {
    previous = previous.then(() => answer(request)).then(send);
  });
}

// --- helpers ---

function send(message: unknown): void {
  process.send!(message, undefined, undefined, () => {}); // a failure means that the parent has gone: see above
}
