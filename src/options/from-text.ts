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
    return [name, schema === undefined ? value : fromText(schema, value)];
  });
  return Object.fromEntries(entries); // defines `__proto__` as a name like any other
}

// --- helpers ---

function fromText(schema: z.core.$ZodType, value: unknown): unknown {
  const { fromText: own, repeated } = hintsOf(schema);
  if (own) return typeof value === 'string' ? own(value) : value;
  const inner = layersOf(schema).at(-1)!;
  if (inner instanceof z.ZodArray) {
    if (typeof value !== 'string' && !Array.isArray(value)) return value;
    const values = [value].flat();
    const texts = repeated
      ? values
      : values.flatMap((part: unknown) => (typeof part === 'string' ? part.split(',') : [part]));
    return texts.map((text) => fromText(inner.element, text));
  }
  if (typeof value !== 'string') return value;
  if (inner instanceof z.ZodNumber) {
    const pattern = inner.isInt ? /^-?\d{1,15}$/ : /^-?(\d+\.?\d*|\.\d+)(e-?\d+)?$/i;
    return pattern.test(value.trim()) ? Number(value) : value;
  }
  if (inner instanceof z.ZodBoolean) return value === 'true' || (value === 'false' ? false : value);
  return value;
}
