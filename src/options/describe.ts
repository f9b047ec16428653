import type { z } from 'zod';
import { expectationOf, factsOf, rangeOf, type ValueFacts } from './facts.ts';
import { hintsOf } from './hints.ts';

/** An option for people to read. */
export interface DescribedOption {
  readonly name: string;
  /** What its value is called: `N`, `FOLDER`, `dense|crops|both`, `Q,Q,...`. */
  readonly value: string;
  /** Which values it takes, in words: `1 to 1000`, `dense, crops, both`, `text`. */
  readonly values: string;
  readonly isFlag: boolean;
  /** A flag that is set by default. */
  readonly isOn: boolean;
  /** As text; `undefined` when there is none. */
  readonly byDefault: string | undefined;
  /** Words in its place. */
  readonly defaultText: string | undefined;
  /** The description, as part of a line: without its capital and its full stop. */
  readonly text: string;
  /** Range and default, for a help text. */
  readonly facts: readonly string[];
}

/** The options of a group in their order, from the schema alone. */
export function describeOptions(group: z.ZodObject): DescribedOption[] {
  const { properties = {} } = factsOf(group);
  return Object.entries(group.shape).map(([name, schema]) => {
    const facts = properties[name] as ValueFacts;
    const hints = hintsOf(schema);
    const isFlag = facts.type === 'boolean';
    const byDefault = defaultOf(facts);
    const shownDefault = hints.defaultText ?? byDefault;
    const range = rangeOf(facts);
    return {
      name,
      value: hints.value ?? valueName(facts),
      values: hints.values ?? valuesOf(facts),
      isFlag,
      isOn: facts.default === true,
      byDefault,
      defaultText: hints.defaultText,
      text: asPart(facts.description ?? ''),
      facts: [
        ...(range === '' ? [] : [range]),
        ...(isFlag || shownDefault === undefined ? [] : [`default ${shownDefault}`]),
      ],
    };
  });
}

/** The options of a group as a table in Markdown; `nameOf` is for what they are called elsewhere: `PORT`. */
export function optionTable(
  group: z.ZodObject,
  { heading = 'option', nameOf = (name: string): string => name } = {},
): string {
  const rows = describeOptions(group).map(({ name, values, byDefault, defaultText, text }) => {
    const shown = defaultText ?? (byDefault === undefined ? '' : `\`${byDefault}\``);
    return `| \`${nameOf(name)}\` | ${values} | ${shown} | ${text} |`;
  });
  return [`| ${heading} | values | default | what it is |`, '|---|---|---|---|', ...rows].join('\n');
}

// --- helpers ---

function valueName(facts: ValueFacts): string {
  if (facts.enum) return facts.enum.join('|');
  if (facts.type === 'array') {
    const item = valueName(facts.items as ValueFacts);
    return `${item},${item},...`;
  }
  return facts.type === 'integer' || facts.type === 'number' ? 'N' : 'TEXT';
}

function valuesOf(facts: ValueFacts): string {
  if (facts.enum) return facts.enum.map((word) => `\`${String(word)}\``).join(', ');
  if (facts.type === 'boolean') return '`true`, `false`';
  if (facts.type === 'integer' || facts.type === 'number') return rangeOf(facts) || expectationOf(facts)!;
  if (facts.type !== 'array') return expectationOf(facts) ?? '';
  const { items, minItems, maxItems } = facts;
  const count = maxItems === undefined ? '' : `; ${minItems ?? 0} to ${maxItems} of them`;
  return `list of ${valuesOf(items as ValueFacts)}${count}`;
}

function defaultOf({ default: value }: ValueFacts): string | undefined {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return undefined;
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? JSON.stringify(value)
    : String(value);
}

/** A sentence as a part of a line; a first word with other capitals keeps them (`JPEG`). */
function asPart(sentence: string): string {
  const start = /^[A-Z][a-z]*(?![A-Za-z])/.test(sentence)
    ? sentence[0]!.toLowerCase() + sentence.slice(1)
    : sentence;
  return start.replace(/(?<!\.)\.$/, '');
}
