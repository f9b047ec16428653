import { z } from 'zod';

/** What a schema says of a value that people or programs give, as JSON Schema has it. */
export type ValueFacts = z.core.JSONSchema.BaseSchema;

/** Facts of a group of options; those of each option are in its `properties`. */
export function factsOf(group: z.core.$ZodType): ValueFacts {
  const { $defs = {}, ...facts } = z.toJSONSchema(group, { io: 'input', unrepresentable: 'any' });
  return inlined(facts, $defs);
}

/** The facts of a part of a value; `undefined` when the schema has none for it, as in a union. */
export function factsAt(facts: ValueFacts, path: readonly PropertyKey[]): ValueFacts | undefined {
  let at: unknown = facts;
  for (const key of path) {
    if (!isFacts(at)) return undefined;
    at = typeof key === 'number' ? (at.prefixItems?.[key] ?? at.items) : at.properties?.[String(key)];
  }
  return isFacts(at) ? at : undefined;
}

/** Of a union by type, the facts of the branch that a value belongs to; else the facts themselves. */
export function branchOf(facts: ValueFacts, value: unknown): ValueFacts {
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const branch = facts.oneOf?.find((candidate) => {
    const fixed = Object.entries(candidate.properties ?? {}).filter(
      ([, fact]) => isFacts(fact) && fact.const !== undefined,
    );
    return fixed.every(([name, fact]) =>
      members.some(([key, member]) => key === name && isFacts(fact) && member === fact.const),
    );
  });
  return branch ?? facts;
}

/** `an integer from 1 to 1000`, `dense, crops, both`, `1 to 8 values`: what a value is expected to be. */
export function expectationOf(facts: ValueFacts): string | undefined {
  if (facts.enum) return facts.enum.map(String).join(', ');
  if (facts.const !== undefined) return String(facts.const);
  switch (facts.type) {
    case 'integer':
    case 'number':
      return `${facts.type === 'integer' ? 'an integer' : 'a number'}${boundsOf(facts)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return joined('text', countOf(facts.minLength, facts.maxLength, 'character'));
    case 'array': {
      const items = isFacts(facts.items) ? expectationOf(facts.items) : undefined;
      const list = joined('a list', countOf(facts.minItems, facts.maxItems, 'value'));
      return items === undefined ? list : `${list}, each ${items}`;
    }
    case 'object':
      return 'an object';
    default:
      return undefined;
  }
}

/** `1 to 1000`, `at least 1`, `over 0, at most 4`: the range of a number, or of the values in a list. */
export function rangeOf(facts: ValueFacts): string {
  const number = facts.type === 'array' ? facts.items : facts;
  return isFacts(number) && (number.type === 'integer' || number.type === 'number')
    ? boundsOf(number).replace(/^ (from|of) |^,? /, '')
    : '';
}

// --- helpers ---

function isFacts(value: unknown): value is ValueFacts {
  return typeof value === 'object' && value !== null;
}

/** A schema with an id is written once, among the definitions, and referred to: here it is in every place again. */
function inlined(facts: ValueFacts, definitions: Readonly<Record<string, unknown>>): ValueFacts {
  const text = JSON.stringify(facts, (_, value: unknown) => {
    const name = isFacts(value) ? value.$ref?.replace('#/$defs/', '') : undefined;
    return name === undefined ? value : definitions[name];
  });
  return JSON.parse(text) as ValueFacts;
}

function boundsOf({ minimum, maximum, exclusiveMinimum, multipleOf, type }: ValueFacts): string {
  const isOver = typeof exclusiveMinimum === 'number'; // a boolean in old drafts of JSON Schema
  const over = isOver && type !== 'integer' ? exclusiveMinimum : undefined;
  const least = significant(isOver && type === 'integer' ? exclusiveMinimum + 1 : minimum);
  const most = significant(maximum);
  const factor = multipleOf === undefined ? '' : `, a multiple of ${multipleOf}`;
  if (over !== undefined) return ` over ${over}${most === undefined ? '' : `, at most ${most}`}${factor}`;
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}${factor}`;
  if (least !== undefined) return ` of at least ${least}${factor}`;
  return `${most === undefined ? '' : ` of at most ${most}`}${factor}`;
}

/** Zod bounds every integer by what a double holds exactly. */
function significant(bound: number | undefined): number | undefined {
  return bound === undefined || Math.abs(bound) === Number.MAX_SAFE_INTEGER ? undefined : bound;
}

function joined(what: string, count: string | undefined): string {
  return count === undefined ? what : `${what} of ${count}`;
}

/** `1 to 8 values`; `undefined` when any number will do. */
function countOf(least: number | undefined, most: number | undefined, unit: string): string | undefined {
  const units = (count: number): string => `${count} ${unit}${count === 1 ? '' : 's'}`;
  if (most !== undefined)
    return least === undefined ? `at most ${units(most)}` : `${least} to ${units(most)}`;
  return least === undefined ? undefined : `at least ${units(least)}`;
}
