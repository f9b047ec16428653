import type { z } from 'zod';
import { type ErrorCode, VerydeepError } from '../errors.ts';
import { fromTexts } from './from-text.ts';
import { describeIssues, type IssueWording } from './issues.ts';

/** Reads a group of options from values or texts, and fills in the defaults. Throws `code` with all reasons. */
export function readOptions<Group extends z.ZodObject>(
  group: Group,
  received: unknown,
  code: ErrorCode,
  wording: IssueWording = { kind: 'option' },
): z.output<Group> {
  const values = fromTexts(group, received);
  const { data, error } = group.safeParse(values);
  if (error) throw new VerydeepError(code, describeIssues(group, error.issues, values, wording).join('. '));
  return data;
}
