import { z } from 'zod';
import { evaluationSettings } from '../evaluation/settings.ts';
import { factsOf } from '../options/facts.ts';
import { hintsOf, layersOf, optionHints } from '../options/hints.ts';
import { dataSettings, machineSettings, networkSettings, recipeSettings } from '../training/settings.ts';

/**
 * What each type of job can be asked for: the settings of `verydeep train` and `verydeep evaluate`, but for files, which
 * are named as a service knows them. Defaults are not filled in here: what is omitted may come from the network that a
 * training starts from.
 */

const { head: _, ...network } = networkSettings;
const { from: __, ...recipe } = recipeSettings;
const { list: ___, data: ____, ...loading } = dataSettings;

const reference = (values: string) => z.string().min(1).max(300).register(optionHints, { values });

const from = reference('`NAME@VERSION/NETWORK` or `NAME@VERSION`').describe(
  'Network to start from; the one of this architecture when only the version is named. `width`, `fc`, `crop` and `scale` are then its own when omitted.',
);

const list = z
  .string()
  .min(1)
  .max(1000)
  .refine((path) => !leadsOut(path), { error: "expected a file in the data set's folder" })
  .register(optionHints, { values: 'a file' })
  .describe("File in the data set's folder that lists the training images to use, CLASS/NAME a line.");

const base = reference('`NAME@VERSION`').describe(
  'Version whose other networks the new version has as well.',
);

const common = {
  list: list.exactOptional(),
  ...asWritten({ ...loading, ...network, ...recipe, ...machineSettings }),
};

/** Of a job that trains a classification network. */
export const trainJobSettings = z
  .strictObject({ from: from.exactOptional(), base: base.exactOptional(), ...common })
  .meta({ id: 'TrainJobSettings' });

/** Of a job that trains a box network, which starts from a classification network of the same architecture. */
export const localiseJobSettings = z
  .strictObject({
    from: from.describe(
      'Classification network whose boxes are learnt. `architecture`, `width`, `fc`, `crop` and `scale` are its own when omitted.',
    ),
    base: base
      .exactOptional()
      .describe('Version whose other networks the new version has; that of `from` when omitted.'),
    head: z
      .enum(['scr', 'pcr'])
      .exactOptional()
      .describe('Boxes: one for all classes (`scr`), one for each (`pcr`).')
      .meta({ default: 'scr' }),
    ...common,
    ...asWritten({ ...network, scale: recipe.scale }, { withDefaults: false }), // those of the network
  })
  .meta({ id: 'LocaliseJobSettings' });

/** Of a job that evaluates. */
export const evaluateJobSettings = z
  .strictObject(asWritten(evaluationSettings.shape))
  .meta({ id: 'EvaluateJobSettings' });

// --- helpers ---

/** Options as they are written, each of which may be left out. */
type AsWritten<Shape extends z.ZodRawShape> = {
  [Name in keyof Shape]: z.ZodExactOptional<Written<Exclude<z.input<Shape[Name]>, undefined>>>;
};

type Written<Value> = z.ZodType<Value, Value>;

function asWritten<Shape extends z.ZodRawShape>(
  shape: Shape,
  { withDefaults = true } = {},
): AsWritten<Shape> {
  const { properties = {} } = factsOf(z.object(shape));
  const entries = Object.entries(shape).map(([name, schema]) => {
    const inner = layersOf(schema).at(-1) as z.ZodType;
    const written = inner instanceof z.ZodCodec ? (inner.def.in as z.ZodType) : inner;
    const { default: value, description } = properties[name] as z.core.JSONSchema.BaseSchema;
    // A default of the machine is not one of the contract.
    const known = withDefaults && value !== undefined && hintsOf(schema).defaultText === undefined;
    return [name, written.exactOptional().meta({ description, ...(known && { default: value }) })];
  });
  return Object.fromEntries(entries) as AsWritten<Shape>;
}

/** An absolute path, or one with `..` in it. */
function leadsOut(path: string): boolean {
  return /^[\\/]|(^|[\\/])\.\.([\\/]|$)|\0/.test(path);
}
