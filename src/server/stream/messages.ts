import { z } from 'zod';
import { answeredCodes } from '../../errors.ts';
import { task } from '../../inference/options.ts';
import { imageResult, model } from '../images/schemas.ts';

/** Messages of `GET /stream` (docs/stream.md). */

const id = z.string().min(1).max(100);

/** What a client's text frame must have; the options beside it are checked apart, since a wrong one closes nothing. */
export const imageHeader = z.looseObject({
  type: z.literal('image'),
  id,
  task,
});

export const serverMessage = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('hello'), protocol: z.literal(1), credits: z.int().min(1), model }),
  z.strictObject({
    type: z.literal('result'),
    id,
    final: z.boolean(),
    scalesDone: z.array(z.int()),
    result: imageResult,
  }),
  z.strictObject({ type: z.literal('error'), id, code: z.enum(answeredCodes), message: z.string() }),
  z.strictObject({ type: z.literal('credit'), credits: z.literal(1) }),
]);

export type ServerMessage = z.output<typeof serverMessage>;
