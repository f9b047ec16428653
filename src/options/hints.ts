import { z } from 'zod';

/** What a schema alone does not say of an option. */
export interface OptionHints {
  /** What its value is called in help texts: `FOLDER`. When omitted, what its type suggests: `N`. */
  readonly value?: string;
  /** Which values it takes, in words, when its type does not say: `1 to 4096, or a range`. */
  readonly values?: string;
  /** What stands for a default that depends on the machine, such as a path. */
  readonly defaultText?: string;
  /** The value that a text stands for, when it is neither text, number, true, false nor a list of them. */
  readonly fromText?: (text: string) => unknown;
  /** A list whose values may have commas: it is given by repeating the option, one value each time. */
  readonly repeated?: boolean;
  /** No message shows its value. */
  readonly secret?: boolean;
}

/**
 * Hints of options, by their schemas: `z.string().register(optionHints, { value: 'FOLDER' })`. They do not appear in
 * OpenAPI, unlike Zod's own `meta`.
 */
export const optionHints = z.registry<OptionHints>();

/** The schemas of a value, from the outermost wrapper (`default`, `optional`) to the one that has the type. */
export function layersOf(schema: z.core.$ZodType): z.core.$ZodType[] {
  const isWrapper =
    schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional;
  return isWrapper ? [schema, ...layersOf(schema.unwrap())] : [schema];
}

/** The hints of a schema and of what it wraps; those of a wrapper come first. */
export function hintsOf(schema: z.core.$ZodType): OptionHints {
  const inside = layersOf(schema).toReversed();
  return Object.assign({}, ...inside.map((layer) => optionHints.get(layer) ?? {}));
}
