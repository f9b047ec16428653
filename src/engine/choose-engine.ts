import { VerydeepError } from '../errors.ts';
import { type Device, kindOf, kindsInWords } from './devices.ts';
import type { EngineRow, EngineTable, Output, Support } from './engine-row.ts';
import { type Precision, precisions } from './precision.ts';

/** What an engine is wanted for. */
export type Use = 'serving' | 'training';

/** An engine as settings, options and jobs ask for it. */
export interface EngineWish<Name extends string> {
  /** `auto`: the first engine of the table that can do all the rest and is there. */
  readonly engine: Name | 'auto';
  /** At least one. */
  readonly devices: readonly Device[];
  readonly precision: Precision;
  /** Path of a native library; an engine that takes one is meant. */
  readonly libraryPath?: string | undefined;
  /** What is wanted besides posteriors; nothing when omitted. */
  readonly outputs?: readonly Output[] | undefined;
}

/** Two parts of a wish that contradict each other. */
export interface Contradiction {
  readonly of: 'engine' | 'devices' | 'precision' | 'library';
  /** What was expected and what was received, without the name of the option. */
  readonly message: string;
}

export interface Choice<Name> {
  /** Engines that can do what is wished, the preferred one first; empty if there are contradictions. */
  readonly candidates: readonly Name[];
  readonly contradictions: readonly Contradiction[];
}

/** The one rule of which engine computes what, read from the table. Nothing is loaded. */
export function chooseEngine<Name extends string>(
  table: EngineTable<Name>,
  wish: EngineWish<Name>,
  use: Use,
): Choice<Name> {
  const { engine, libraryPath } = wish;
  const names = Object.keys(table) as Name[];
  const asked = engine === 'auto' ? names.filter((name) => table[name].automatic) : [engine];
  const computing = computingEngines(table, asked, wish, use);
  const contradictions = [
    ...(Array.isArray(computing) ? [] : [computing]),
    ...libraryContradictions(table, asked, wish),
  ];
  if (!Array.isArray(computing) || contradictions.length > 0) return { candidates: [], contradictions };
  // Naming a library asks for its engine: another one in its place would be a surprise.
  const named = libraryPath === undefined ? [] : computing.filter((name) => table[name].takesLibrary);
  return { candidates: named.length > 0 ? named : computing, contradictions };
}

/** Throws INVALID_SETTINGS with all contradictions, if there are any. */
export function throwContradictions(contradictions: readonly Contradiction[]): void {
  if (contradictions.length === 0) return;
  const reasons = contradictions.map(({ of, message }) => `${of}: ${message}`);
  throw new VerydeepError('INVALID_SETTINGS', reasons.join('; '));
}

// --- helpers ---

/** Those of the engines asked for that do it on these devices in this precision, or why none does. */
function computingEngines<Name extends string>(
  table: EngineTable<Name>,
  asked: readonly Name[],
  { engine, devices, precision, outputs = [] }: EngineWish<Name>,
  use: Use,
): Name[] | Contradiction {
  const isAble = (name: Name): boolean =>
    table[name][use] !== undefined && outputs.every((output) => table[name].serving.outputs.includes(output));
  const able = asked.filter(isAble);
  if (able.length === 0) {
    const others = ['auto', ...Object.keys(table).filter((name) => isAble(name as Name))].join(', ');
    const what = use === 'training' ? 'trains' : `serves ${outputs.join(' and ')}`;
    return { of: 'engine', message: `expected one that ${what} (${others}); received ${engine}` };
  }

  const supportOf = (name: Name): Support => table[name][use]!.support;
  const present = able.filter((name) => devices.every((device) => kindOf(device) in supportOf(name)));
  const where = `engine ${engine}`;
  if (present.length === 0) {
    const kinds = kindsInWords(able.flatMap((name) => Object.keys(supportOf(name))));
    return { of: 'devices', message: `expected ${kinds} with ${where}; received ${devices.join(',')}` };
  }

  const thatCompute = (wanted: Precision): Name[] =>
    present.filter((name) => devices.every((device) => supportOf(name)[kindOf(device)]!.includes(wanted)));
  const computing = thatCompute(precision);
  if (computing.length > 0) return computing;
  const expected = precisions.filter((other) => thatCompute(other).length > 0).join(' or ');
  const message = `expected ${expected} with ${where} on ${devices.join(',')}; received ${precision}`;
  return { of: 'precision', message: message + whichComputes(table, use, precision) };
}

function libraryContradictions<Name extends string>(
  table: EngineTable<Name>,
  asked: readonly Name[],
  { engine, libraryPath }: EngineWish<Name>,
): Contradiction[] {
  if (libraryPath === undefined || asked.some((name) => table[name].takesLibrary)) return [];
  const takers = Object.keys(table).filter((name) => table[name as Name].takesLibrary);
  const message = `expected to be used, with engine ${['auto', ...takers].join(' or ')}; received engine ${engine}`;
  return [{ of: 'library', message }];
}

/** `, which onednn computes on cpu`; nothing if no engine does. */
function whichComputes(table: EngineTable<string>, use: Use, precision: Precision): string {
  const places = Object.entries<EngineRow>(table).flatMap(([name, row]) => {
    const support = Object.entries(row[use]?.support ?? {});
    const kinds = support.filter(([, known]) => known.includes(precision)).map(([kind]) => kind);
    return kinds.length > 0 ? [`${name} computes on ${kindsInWords(kinds)}`] : [];
  });
  return places.length > 0 ? `, which ${places.join(', ')}` : '';
}
