import type { z } from 'zod';
import { branchOf, expectationOf, factsAt, factsOf, type ValueFacts } from './facts.ts';
import { hintsOf } from './hints.ts';

export interface IssueWording {
  /** What a member is called when it is unknown: `option`. */
  readonly kind: 'option' | 'field' | 'setting';
  /** How a member is named: `--micro-batch`, `PORT`. When omitted, by its path: `settings.scale.min`. */
  readonly nameOf?: (path: readonly PropertyKey[]) => string;
}

/** A thousand wrong values are told by the first of them. */
const mostReasons = 10;

/**
 * What a schema found wrong, a line each: `NAME: expected ...; received ...`. Messages of a schema's own checks begin with
 * `expected`, and may say themselves what was received.
 */
export function describeIssues(
  schema: z.core.$ZodType,
  issues: readonly z.core.$ZodIssue[],
  received: unknown,
  { kind, nameOf = dotted }: IssueWording,
): string[] {
  const facts = branchOf(factsOf(schema), received);
  const reasons = issues.slice(0, mostReasons).map((issue) => {
    const { path } = issue;
    const name = path.length === 0 ? '' : `${nameOf(path)}: `;
    if (issue.code === 'unrecognized_keys') {
      const known = Object.keys(factsAt(facts, path)?.properties ?? {}).map((key) => nameOf([...path, key]));
      const unknown = issue.keys.slice(0, mostReasons).map((key) => JSON.stringify(nameOf([...path, key])));
      const more = issue.keys.length > mostReasons ? ', ...' : '';
      return `unknown ${kind} ${unknown.join(', ')}${more}; expected some of ${known.join(', ')}`;
    }
    const expected = expectation(issue, factsAt(facts, path));
    if (/\breceived\b/.test(expected)) return `${name}${expected}`;
    return `${name}${expected}; received ${shown(valueAt(received, path), isSecret(schema, path))}`;
  });
  return issues.length > mostReasons ? [...reasons, `and ${issues.length - mostReasons} more`] : reasons;
}

/** A value as messages show it: JSON, in one short line. */
export function shown(value: unknown, isSecret = false): string {
  if (isSecret) return `${String(value).length} characters`;
  if (typeof value === 'number') return String(value); // JSON has no NaN
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

// --- helpers ---

function expectation(issue: z.core.$ZodIssue, facts: ValueFacts | undefined): string {
  if (issue.message.startsWith('expected ')) return issue.message;
  const expected = facts && expectationOf(facts);
  return expected === undefined ? issue.message : `expected ${expected}`;
}

function dotted(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}

function valueAt(received: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    received,
  );
}

function isSecret(schema: z.core.$ZodType, [name]: readonly PropertyKey[]): boolean {
  const shape = 'shape' in schema ? (schema.shape as Record<PropertyKey, z.core.$ZodType>) : {};
  const member = name === undefined ? undefined : shape[name];
  return member !== undefined && hintsOf(member).secret === true;
}
