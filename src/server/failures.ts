import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { answeredCodes, codesOf, type ErrorCode, errorEntry, isVerydeepError } from '../errors.ts';

/** What somebody whose request or image is refused gets to know, in the form of no protocol yet. */
export interface Failure {
  readonly code: ErrorCode;
  /** HTTP status. */
  readonly status: number;
  readonly message: string;
  /** `retry-after`, in seconds, when the same request may succeed later. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The failure that anything thrown stands for; it is INTERNAL unless users may know better (src/errors.ts). */
export function failureOf(error: unknown): Failure {
  const known =
    isVerydeepError(error) && (error.statusCode < 500 || errorEntry(error.code).words !== undefined);
  const code = known ? error.code : 'INTERNAL';
  const { status, words, retry } = errorEntry(code);
  const seconds = known ? Math.max(1, Math.ceil(error.retryAfterSeconds ?? 1)) : 1;
  return {
    code,
    status,
    message: words ?? (error as Error).message,
    headers: retry ? { 'retry-after': String(seconds) } : {},
  };
}

/** Makes the body of an answer from a failure: each protocol has its own. */
export type Envelope = (failure: Failure) => object;

/** The body of every refusal of the service's own routes: Fastify's shape of an error. */
const failureBody = z
  .object({
    statusCode: z.int(),
    code: z
      .enum(answeredCodes)
      .describe('What programs can rely on (docs/errors.md); more codes may be added.'),
    error: z.string().describe('The name of the status.'),
    message: z.string().describe('What was expected and what was received.'),
  })
  .meta({
    id: 'Failure',
    examples: [
      {
        statusCode: 400,
        code: 'INVALID_OPTION',
        error: 'Bad Request',
        message: 'top: expected an integer; received "many"',
      },
    ],
  });

export type FailureBody = z.output<typeof failureBody>;

/** The envelope of the service's own routes. */
export function ownEnvelope({ status, code, message }: Failure): FailureBody {
  return { statusCode: status, code, error: statusText(status), message };
}

/** The name of a status; 499 is nginx's, and has none of its own. */
export function statusText(status: number): string {
  return STATUS_CODES[status] ?? 'Client Closed Request';
}

/** For OpenAPI: a response for each status of the codes that a route answers, and of those that any route does. */
export function failures(...codes: readonly ErrorCode[]): Record<number, unknown> {
  const all = codesOf().filter((code) => codes.includes(code) || errorEntry(code).of === 'request');
  const statuses = [...new Set(all.map((code) => errorEntry(code).status))].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => {
      const these = all.filter((code) => errorEntry(code).status === status);
      const names = these.map((code) => `\`${code}\``).join(', ');
      const retry = these.some((code) => errorEntry(code).retry);
      return [
        status,
        {
          description: retry ? `${names}; \`Retry-After\` says in how many seconds to try again` : names,
          content: { 'application/json': { schema: failureBody } },
        },
      ];
    }),
  );
}
