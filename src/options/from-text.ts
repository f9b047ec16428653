import { z } from 'zod';
import { hintsOf, layersOf } from './hints.ts';

/**
 * Turns texts into the values that they stand for: `?scales=128,160&flip=false` of a query, `--scales 128,160` of a
 * command line. A list is separated by commas, or comes as several texts (`scales=128&scales=160`), or both. Text that
 * stands for no value is left as it is, for the schema to refuse; values that are no text are taken as they are.
 */
export function fromTexts(group: z.ZodObject, received: unknown): unknown {
  if (typeof received !== 'object' || received === null || Array.isArray(received)) return received;
  const entries = Object.entries(received).map(([name, value]): [string, unknown] => {
    const schema = Object.hasOwn(group.shape, name) ? group.shape[name] : undefined;
    return [name, schema === undefined ? value : readerOf(schema)(value)];
  });
  return Object.fromEntries(entries); // defines `__proto__` as a name like any other
}

// --- helpers ---

type Reader = (value: unknown) => unknown;

function readerOf(schema: z.core.$ZodType): Reader {
  const { fromText, repeated } = hintsOf(schema);
  if (fromText) return ofText(fromText);
  const inner = layersOf(schema).at(-1)!;
  if (inner instanceof z.ZodArray) return listReader(readerOf(inner.element), repeated === true);
  if (inner instanceof z.ZodNumber) {
    const pattern = inner.isInt ? /^-?\d{1,15}$/ : /^-?(\d+(\.\d*)?|\.\d+)(e-?\d+)?$/i;
    return ofText((text) => (pattern.test(text.trim()) ? Number(text) : text));
  }
  if (inner instanceof z.ZodBoolean) return ofText((text) => words.get(text) ?? text);
  return (value) => value;
}

const words: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

function ofText(read: (text: string) => unknown): Reader {
  return (value) => (typeof value === 'string' ? read(value) : value);
}

function listReader(readItem: Reader, repeated: boolean): Reader {
  return (value) => {
    if (typeof value !== 'string' && !Array.isArray(value)) return value;
    const values = [value].flat();
    const items = repeated
      ? values
      : values.flatMap((part: unknown) => (typeof part === 'string' ? part.split(',') : [part]));
    return items.map(readItem);
  };
}
