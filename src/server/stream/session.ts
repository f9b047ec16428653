import { type Task, tasks } from '../../inference/options.ts';
import { failureOf } from '../failures.ts';
import { type ImageTask, readImageTask } from '../images/options.ts';
import type { ImageResultBody, Model } from '../images/schemas.ts';
import { imageHeader, type ServerMessage } from './messages.ts';

/** Codes with which the server closes a stream (RFC 6455, 7.4.1). */
export const closeCode = {
  goingAway: 1001,
  protocolError: 1002,
  invalidData: 1007,
  policyViolation: 1008,
  messageTooBig: 1009,
  tryAgainLater: 1013,
} as const;

/** What the socket has to do next, in this order. */
export type StreamAction =
  | { readonly type: 'send'; readonly message: ServerMessage }
  | { readonly type: 'run'; readonly id: string; readonly task: ImageTask; readonly bytes: Uint8Array }
  | { readonly type: 'close'; readonly code: number; readonly reason: string };

/** What has become of an image. */
export type StreamOutcome =
  | { readonly result: ImageResultBody; readonly final: boolean; readonly scalesDone: readonly number[] }
  | { readonly error: unknown };

/**
 * The protocol of one connection, without its socket: each event returns what to do. An image takes a credit when its
 * header arrives and gives it back after its last answer. After a `close`, every event returns nothing.
 */
export interface StreamSession {
  open(): StreamAction[];
  /** A text frame: the header of an image. */
  text(data: string): StreamAction[];
  /** A binary frame: its bytes. */
  binary(bytes: Uint8Array): StreamAction[];
  /** An answer to an image that was run. */
  outcome(id: string, outcome: StreamOutcome): StreamAction[];
  /** The service stops: frames that come now are not answered, and the stream closes when all before them are. */
  drain(): StreamAction[];
  /** The client has gone, or its socket was closed. */
  close(code: number, reason: string): StreamAction[];
}

export interface StreamSessionOptions {
  readonly credits: number;
  readonly model: Model;
  readonly maxTimeoutMs: number;
}

/** An image whose bytes are awaited: what to run, or the error to answer once they are there. */
interface Expected {
  readonly id: string;
  readonly task: ImageTask | { readonly error: unknown };
}

/** A header is a few options: reading millions of values would hold up everybody else. As long as a query may be. */
const maxHeaderLength = 16_384;

export function createStreamSession({ credits, model, maxTimeoutMs }: StreamSessionOptions): StreamSession {
  /** Ids without a last answer; `expected`, if any, is among them. */
  const open = new Set<string>();
  let expected: Expected | undefined;
  let draining = false;
  let closed = false;

  const send = (message: ServerMessage): StreamAction => ({ type: 'send', message });

  function close(code: number, reason: string): StreamAction[] {
    closed = true;
    return [{ type: 'close', code, reason }];
  }

  function end(id: string, last: StreamAction): StreamAction[] {
    open.delete(id);
    return [last, send({ type: 'credit', credits: 1 }), ...closeIfDrained()];
  }

  function fail(id: string, error: unknown): StreamAction[] {
    const { code, message } = failureOf(error);
    return end(id, send({ type: 'error', id, code, message }));
  }

  function closeIfDrained(): StreamAction[] {
    return draining && open.size === 0 ? close(closeCode.goingAway, 'the service stops') : [];
  }

  function header(data: string): StreamAction[] {
    if (expected) {
      return close(
        closeCode.protocolError,
        `expected the bytes of image ${shown(expected.id)} as a binary frame`,
      );
    }
    if (data.length > maxHeaderLength) {
      return close(closeCode.messageTooBig, `expected at most ${maxHeaderLength} characters in a text frame`);
    }
    const message = parseJson(data);
    if (message === undefined) return close(closeCode.invalidData, 'expected JSON in a text frame');
    const parsed = imageHeader.safeParse(message);
    if (!parsed.success) {
      return close(
        closeCode.protocolError,
        `expected {"type":"image","id":TEXT,"task":${tasks.map((name) => `"${name}"`).join('|')},...}`,
      );
    }
    const { type: _, id, task, ...options } = parsed.data;
    if (open.has(id)) return close(closeCode.protocolError, `id ${shown(id)} is not answered yet`);
    if (open.size >= credits)
      return close(closeCode.policyViolation, `expected at most ${credits} images at once`);
    open.add(id);
    expected = { id, task: parseOptions(task, options, maxTimeoutMs) };
    return [];
  }

  return {
    open: () => [send({ type: 'hello', protocol: 1, credits, model })],
    text: (data) => (closed || draining ? [] : header(data)),
    binary(bytes) {
      if (closed || draining) return [];
      if (!expected) return close(closeCode.protocolError, 'expected the header of an image as a text frame');
      const { id, task } = expected;
      expected = undefined;
      return 'error' in task ? fail(id, task.error) : [{ type: 'run', id, task, bytes }];
    },
    outcome(id, outcome) {
      if (closed || !open.has(id)) return [];
      if ('error' in outcome) return fail(id, outcome.error);
      const { result, final, scalesDone } = outcome;
      const message = send({ type: 'result', id, final, scalesDone: [...scalesDone], result });
      return final ? end(id, message) : [message];
    },
    drain() {
      if (closed) return [];
      draining = true;
      if (expected) open.delete(expected.id); // without its bytes it was not accepted
      return closeIfDrained();
    },
    close: (code, reason) => (closed ? [] : close(code, reason)),
  };
}

// --- helpers ---

function parseJson(data: string): unknown {
  try {
    return JSON.parse(data) as unknown;
  } catch {
    return undefined;
  }
}

function parseOptions(task: Task, received: object, maxTimeoutMs: number): Expected['task'] {
  try {
    return readImageTask(task, received, maxTimeoutMs);
  } catch (error) {
    return { error };
  }
}

/** A close frame's reason has at most 123 bytes. */
function shown(id: string): string {
  return JSON.stringify(id.replace(/[^\x20-\x7e]/g, '?').slice(0, 40));
}
