import { expect, it } from 'vitest';
import { optionHelp, readCommandLine } from '../../src/options/command-line.ts';
import { optionTable } from '../../src/options/describe.ts';
import { group } from './groups.ts';

const read = (...argv: string[]) => readCommandLine(group, argv, { allowPositionals: true });

it('reads the arguments of a command', () => {
  const argv =
    'a.jpg --top 3 --micro-batch 64 --scales 128,160 --scales 192 --no-flip --localise --range 32-64 --run a,b --run c b.jpg';
  expect(read(...argv.split(' '))).toEqual({
    values: {
      top: 3,
      width: 1,
      microBatch: 64,
      scales: [128, 160, 192],
      view: 'dense',
      flip: false,
      localise: true,
      weights: '/a/path',
      run: ['a,b', 'c'],
      range: { min: 32, max: 64 },
    },
    positionals: ['a.jpg', 'b.jpg'],
  });
});

it.each([
  [['--top', '0'], '--top: expected an integer from 1 to 1000; received 0'],
  [
    ['--micro-batch', '33'],
    '--micro-batch: expected an integer of at least 1, a multiple of 32; received 33',
  ],
  [['--scales', '128,x'], '--scales: expected an integer from 32 to 512; received "x"'],
  [['--view', 'wide'], '--view: expected dense, crops; received "wide"'],
])('refuses %j', (argv, message) => {
  expect(() => read(...argv)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', message }));
});

it('refuses what the command does not know', () => {
  expect(() => read('--colour', 'red')).toThrow(/--colour/);
  expect(() => readCommandLine(group, ['a.jpg'])).toThrow(/a\.jpg/);
});

it('writes the help text, with ranges and defaults', () => {
  expect(optionHelp(group, { column: 23, width: 72 })).toBe(
    `
  --top N              classes in the answer (1 to 1000; default 5)
  --width N            channel multiplier (over 0, at most 4; default 1)
  --micro-batch N      pictures in one pass, with fc (at least 1, a
                       multiple of 32)
  --scales Q,Q,...     smallest sides in pixels (32 to 512)
  --networks TEXT,TEXT,...
                       networks to average
  --view dense|crops   JPEG as a whole, or its crops (default dense)
  --[no-]flip          average over the mirror image
  --localise           also measure boxes
  --weights FOLDER     folder of ensembles (default the package’s)
  --run RUN            folder of a training
  --range MIN-MAX      range
  --token TEXT         opens`.slice(1),
  );
});

it('writes a table', () => {
  expect(optionTable(group, { heading: 'setting' }).split('\n').slice(0, 8)).toEqual([
    '| setting | values | default | what it is |',
    '|---|---|---|---|',
    '| `top` | 1 to 1000 | `5` | classes in the answer |',
    '| `width` | over 0, at most 4 | `1` | channel multiplier |',
    '| `microBatch` | at least 1, a multiple of 32 |  | pictures in one pass, with `fc` |',
    '| `scales` | list of 32 to 512; 1 to 3 of them |  | smallest sides in pixels |',
    '| `networks` | list of text of 1 to 9 characters |  | networks to average |',
    '| `view` | `dense`, `crops` | `dense` | JPEG as a whole, or its crops |',
  ]);
});
