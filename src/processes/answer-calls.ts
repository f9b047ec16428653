import { isVerydeepError, messageOf } from '../errors.ts';
import type { CallAnswer, CallRequest, Calls } from './protocol.ts';

export interface AnswerCallsOptions {
  /** What is left to do when the parent has gone and its calls are answered; when omitted, the child ends at once. */
  readonly whenAlone?: () => Promise<unknown>;
}

/**
 * The life of a child process of `calls.ts`: it answers the calls of its parent one after the other, in their
 * order, and ends with it.
 */
export function answerCalls<C extends Calls>(
  perform: (request: CallRequest<C>) => Promise<C[keyof C]['answer']>,
  { whenAlone }: AnswerCallsOptions = {},
): void {
  // A Ctrl-C goes to the whole process group: the parent still drains then, and ends its children itself.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  const answer = async (request: CallRequest<C>): Promise<CallAnswer<C>> => {
    const { id } = request;
    try {
      const result = await perform(request);
      return { id, rssBytes: process.memoryUsage.rss(), answer: result };
    } catch (error) {
      const code = isVerydeepError(error) ? { code: error.code } : {};
      return { id, rssBytes: process.memoryUsage.rss(), error: { ...code, message: messageOf(error) } };
    }
  };
  let previous = Promise.resolve();
  process.on('message', (request: CallRequest<C>) => {
    previous = previous.then(() => answer(request)).then(send);
  });
  // The parent has gone, in whatever way.
  process.on('disconnect', () => {
    if (whenAlone === undefined) process.exit();
    void previous.then(whenAlone).finally(() => process.exit());
  });
}

// --- helpers ---

function send(message: unknown): void {
  process.send!(message, undefined, undefined, () => {}); // a failure means that the parent has gone: see above
}
