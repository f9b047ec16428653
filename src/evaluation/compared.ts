import { basename } from 'node:path';
import type { NetworkSource } from '../engine/engine.ts';
import { checkWeights } from '../ensembles/check-weights.ts';
import type { Ensemble, EnsembleNetwork } from '../ensembles/ensemble.ts';
import { loadEnsemble } from '../ensembles/load.ts';
import { defaultScales } from '../ensembles/manifest.ts';
import { parseReference } from '../ensembles/name-at-version.ts';
import { asEnsembleNetwork, weightsPathOf } from '../ensembles/network.ts';
import { readRun } from '../ensembles/run.ts';
import { checkNetworks, checkScales } from '../inference/options.ts';
import { parameterCount } from '../network/measures.ts';
import { invalidOption } from '../options/invalid-option.ts';
import type { EvaluatedNetwork } from './evaluation.ts';

/** A network that is compared with others. */
export interface ComparedNetwork {
  /** Unique: `d`, or `mine/d` if there are several ensembles or run folders. */
  readonly name: string;
  readonly info: EvaluatedNetwork;
  /** Its id is the name. */
  readonly source: NetworkSource;
  /** In the order of its outputs. */
  readonly labels: readonly string[];
  /** Test scales Q in pixels: those asked for, its ensemble's, or those that its training scale S suggests. */
  readonly scales: readonly number[];
}

/** Networks that work together as the service runs them: the classifiers' posteriors weigh the localisers' boxes. */
export interface Team {
  readonly classifiers: readonly ComparedNetwork[];
  /** Of the classifiers' crop. */
  readonly localisers: readonly ComparedNetwork[];
  readonly scales: readonly number[];
}

export interface Compared {
  readonly classifiers: readonly ComparedNetwork[];
  readonly localisers: readonly ComparedNetwork[];
  readonly teams: readonly Team[];
}

export interface ComparedOptions {
  /** Folder of ensembles. */
  readonly weights: string;
  /** `NAME` or `NAME@VERSION`. */
  readonly ensembles: readonly string[];
  /** Folders of finished trainings: `FOLDER`, called like the folder, or `NAME=FOLDER`. */
  readonly runs: readonly string[];
  /** Names of the classification networks to compare; all when omitted. */
  readonly networks?: readonly string[] | undefined;
  /** Test scales Q of all networks. */
  readonly scales?: readonly number[] | undefined;
}

/** Reads ensembles and run folders. Throws INVALID_WEIGHTS, INVALID_OPTION. */
export async function readCompared(options: ComparedOptions): Promise<Compared> {
  const { weights, scales } = options;
  const ensembles: Ensemble[] = [];
  for (const text of options.ensembles) {
    const { name, version } = parseReference(text);
    const ensemble = await loadEnsemble(weights, name, version);
    if (ensembles.some(({ digest }) => digest === ensemble.digest)) {
      throw invalidOption('--ensemble', 'different ones', `${ensemble.name}@${ensemble.version} twice`);
    }
    ensembles.push(ensemble);
  }
  const runs: ComparedNetwork[] = [];
  for (const text of options.runs) runs.push(await runNetwork(text, scales));
  const members = ensembles.map((ensemble) => membersOf(ensemble, ensembles, runs.length > 0, scales));
  const all = [...members.flat(), ...runs];
  checkNames(all);
  for (const { name, source, info } of all) {
    if (scales) checkAskedScales('--scales', scales, { ...info, name, crop: source.spec.crop });
  }
  const isWanted = choice(all, options.networks);
  const classifiers = all.filter((network) => isClassifier(network) && isWanted(network));
  const localisers = all.filter((network) => !isClassifier(network));
  return { classifiers, localisers, teams: teamsOf(members, runs, isWanted, scales) };
}

export function isClassifier({ source }: ComparedNetwork): boolean {
  return source.spec.head === 'classes';
}

/** The test scale Q of single-scale tests: S, or the middle of its range (paper, 4.1), or what comes nearest. */
export function middleScale({ scales, info: { trainingScale } }: ComparedNetwork): number {
  const middle = Math.round((trainingScale.min + trainingScale.max) / 2);
  return scales.reduce((best, scale) => (Math.abs(scale - middle) < Math.abs(best - middle) ? scale : best));
}

/** Whether two networks have the same classes, in whatever order. */
export function haveSameClasses(a: ComparedNetwork, b: ComparedNetwork): boolean {
  return [...a.labels].sort().join('\n') === [...b.labels].sort().join('\n');
}

/** Test scales Q that an option asks of a network. Throws INVALID_OPTION, which names the `option`. */
export function checkAskedScales(
  option: string,
  scales: readonly number[],
  { name, crop, trainingScale }: { name: string; crop: number; trainingScale: { min: number; max: number } },
): void {
  checkScales(option, scales, { crop, scales: defaultScales([trainingScale], crop), network: name });
}

// --- helpers ---

function membersOf(
  ensemble: Ensemble,
  ensembles: readonly Ensemble[],
  hasRuns: boolean,
  scales: readonly number[] = ensemble.scales,
): ComparedNetwork[] {
  const { name, version, digest, labels } = ensemble;
  const isTwice = ensembles.filter((other) => other.name === name).length > 1;
  const prefix = ensembles.length > 1 || hasRuns ? `${name}${isTwice ? `@${version}` : ''}/` : '';
  return [...ensemble.classifiers, ...ensemble.localisers].map((network) =>
    comparedNetwork(`${prefix}${network.name}`, network, labels, scales, {
      kind: 'ensemble',
      ensemble: name,
      version,
      digest,
    }),
  );
}

async function runNetwork(text: string, scales: readonly number[] | undefined): Promise<ComparedNetwork> {
  const at = text.indexOf('=');
  const folder = text.slice(at + 1);
  const run = readRun(folder);
  const { network, labels } = run;
  await checkWeights(weightsPathOf(run), network);
  const { trainingScale, crop, sha256 } = network;
  return comparedNetwork(
    at > 0 ? text.slice(0, at) : basename(folder),
    asEnsembleNetwork(run),
    labels,
    scales ?? defaultScales([trainingScale], crop),
    { kind: 'run', folder, digest: `sha256:${sha256}` },
  );
}

function comparedNetwork(
  name: string,
  { spec, preprocessing, trainingScale, trainable, metrics, path }: EnsembleNetwork,
  labels: readonly string[],
  scales: readonly number[],
  source: EvaluatedNetwork['source'],
): ComparedNetwork {
  return {
    name,
    info: {
      name,
      ...spec,
      parameters: parameterCount(spec),
      trainingScale,
      ...(trainable && { trainable }),
      ...validationOf(metrics),
      source,
    },
    source: { id: name, spec, preprocessing, weights: { path } },
    labels,
    scales,
  };
}

/** Manifests may have any figures, or none. */
function validationOf({
  epoch,
  accuracy,
}: Readonly<Record<string, unknown>> = {}): Pick<EvaluatedNetwork, 'validation'> {
  return typeof epoch === 'number' && typeof accuracy === 'number' ? { validation: { epoch, accuracy } } : {};
}

/**
 * Each ensemble, and the runs of one crop as if they had been assembled. Box networks of runs without a classifier among
 * the runs get those of the first ensemble of their crop.
 */
function teamsOf(
  members: readonly ComparedNetwork[][],
  runs: readonly ComparedNetwork[],
  isWanted: (network: ComparedNetwork) => boolean,
  scales: readonly number[] | undefined,
): Team[] {
  const ensembles = members.map((networks) => ({
    classifiers: networks.filter((network) => isClassifier(network) && isWanted(network)),
    localisers: networks.filter((network) => !isClassifier(network)),
    scales: networks[0]!.scales,
  }));
  const crops = new Set(runs.map(({ source }) => source.spec.crop));
  const ofRuns = [...crops].flatMap((crop): Team[] => {
    const own = runs.filter(({ source }) => source.spec.crop === crop);
    const [first, ...others] = own.filter((network) => isClassifier(network) && isWanted(network));
    const localisers = own.filter((network) => !isClassifier(network));
    if (first === undefined) {
      const lender = ensembles.find(({ classifiers }) => classifiers[0]?.source.spec.crop === crop);
      return lender ? [{ ...lender, localisers }] : [];
    }
    const classifiers = [first, ...others.filter((network) => haveSameClasses(first, network))];
    const trainingScales = classifiers.map(({ info }) => info.trainingScale);
    return [{ classifiers, localisers, scales: scales ?? defaultScales(trainingScales, crop) }];
  });
  return [...ensembles, ...ofRuns].filter(({ classifiers }) => classifiers.length > 0);
}

function choice(
  all: readonly ComparedNetwork[],
  names: readonly string[] | undefined,
): (network: ComparedNetwork) => boolean {
  if (names === undefined) return () => true;
  const known = all.filter(isClassifier).map(({ name }) => name);
  checkNetworks('--networks', names, known);
  return ({ name }) => names.includes(name);
}

function checkNames(networks: readonly ComparedNetwork[]): void {
  const names = networks.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice === undefined) return;
  throw invalidOption(
    '--run',
    'networks of different names (NAME=FOLDER gives another one)',
    `"${twice}" twice`,
  );
}
