import type { z } from 'zod';

/**
 * What a schema found wrong with the members of an object, in a line: expected and received. `kind` is what a member is
 * called, `known` which there are.
 */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  received: unknown,
  kind: 'option' | 'field',
  known: readonly string[],
): string {
  const reasons = issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return `unknown ${kind} ${issue.keys.map(quoted).join(', ')}; expected some of ${known.join(', ')}`;
    }
    const [name, ...inside] = issue.path;
    if (name === undefined) return `${expectation(issue)}; received ${quoted(received)}`;
    const value = (received as Record<PropertyKey, unknown>)[name];
    const where = inside.length > 0 ? ` (item ${String(inside[0])})` : '';
    return `${String(name)}${where}: ${expectation(issue)}; received ${quoted(value)}`;
  });
  return reasons.join('. ');
}

// --- helpers ---

/** Zod's own words, less what is said anyway. */
function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `expected ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_type') {
    const names: Record<string, string> = {
      int: 'an integer',
      number: 'an integer',
      boolean: 'true or false',
      object: 'an object',
      record: 'an object',
    };
    return `expected ${names[issue.expected] ?? `a ${issue.expected}`}`;
  }
  const items = issue.code === 'too_small' || issue.code === 'too_big' ? issue.origin : undefined;
  const unit = items === 'array' ? ' items' : items === 'string' ? ' characters' : '';
  if (issue.code === 'too_small') return `expected at least ${issue.minimum}${unit}`;
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}${unit}`;
  return issue.message;
}

/** As JSON, shortened: a message is one line. */
function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
