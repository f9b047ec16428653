import { type ParseArgsConfig, parseArgs } from 'node:util';
import { z } from 'zod';
import { describeOptions } from './describe.ts';
import { layersOf } from './hints.ts';
import { readOptions } from './read.ts';

export interface CommandLine<Group extends z.ZodObject> {
  readonly values: z.output<Group>;
  readonly positionals: readonly string[];
}

/**
 * Reads a command's arguments by the schema of its options: `microBatch` is `--micro-batch`, a boolean a flag with its
 * `--no-` form. Throws INVALID_OPTION with all reasons, or the errors of `parseArgs`.
 */
export function readCommandLine<Group extends z.ZodObject>(
  group: Group,
  argv: readonly string[],
  { allowPositionals = false }: { readonly allowPositionals?: boolean } = {},
): CommandLine<Group> {
  const names = Object.keys(group.shape);
  const options = Object.fromEntries(names.map((name) => [kebab(name), descriptorOf(group.shape[name]!)]));
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals,
    allowNegative: true,
    options,
  });
  const received = names.flatMap((name) => {
    const value = values[kebab(name)];
    return value === undefined ? [] : [[name, value]];
  });
  const wording = { kind: 'option', nameOf: argumentName } as const;
  return {
    values: readOptions(group, Object.fromEntries(received), 'INVALID_OPTION', wording),
    positionals,
  };
}

/** `--micro-batch`, of a value inside of it too. */
export function argumentName([name]: readonly PropertyKey[]): string {
  return `--${kebab(String(name))}`;
}

/** Lines of a help text, one option after the other, with ranges and defaults; `column` is where the words begin. */
export function optionHelp(group: z.ZodObject, { column = 23, width = 110 } = {}): string {
  return describeOptions(group)
    .flatMap((option) => {
      const { name, value, isFlag, isOn, text, facts } = option;
      const argument = isFlag ? `--${isOn ? '[no-]' : ''}${kebab(name)}` : `--${kebab(name)} ${value}`;
      const notes = facts.length > 0 ? ` (${facts.join('; ')})` : '';
      const words = wrapped(`${text.replaceAll('`', '')}${notes}`.trim(), width - column);
      // What is longer than the column has a line of its own.
      const lines = argument.length + 2 < column ? words : ['', ...words];
      return lines.map(
        (line, i) => `${i === 0 ? `  ${argument}`.padEnd(column) : ' '.repeat(column)}${line}`,
      );
    })
    .map((line) => line.trimEnd())
    .join('\n');
}

// --- helpers ---

function descriptorOf(schema: z.core.$ZodType): NonNullable<ParseArgsConfig['options']>[string] {
  const inner = layersOf(schema).at(-1)!;
  if (inner instanceof z.ZodBoolean) return { type: 'boolean' };
  return { type: 'string', multiple: inner instanceof z.ZodArray };
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
