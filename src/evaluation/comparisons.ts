import type { View } from '../inference/options.ts';
import { architectureNames, heads } from '../network/architecture.ts';
import { type Compared, type ComparedNetwork, haveSameClasses, middleScale, type Team } from './compared.ts';
import type { Comparison } from './evaluation.ts';
import type { EvaluationSettings } from './settings.ts';

/** A network of a row and its test scales Q. */
export interface PlannedMember {
  readonly network: ComparedNetwork;
  readonly scales: readonly number[];
}

/** A row to measure: the mean of all its members' posteriors. Members have the same classes. */
export interface ClassificationPlan {
  readonly members: readonly PlannedMember[];
  readonly flip: boolean;
  readonly view: View;
}

export interface LocalisationPlan {
  readonly method: 'centralCrop' | 'wholeImage';
  readonly localisers: readonly ComparedNetwork[];
  /** None with `centralCrop`. */
  readonly classifiers: readonly ComparedNetwork[];
  readonly scales: readonly number[];
  readonly flip: boolean;
}

export interface EvaluationPlan {
  readonly classification: readonly ClassificationPlan[];
  readonly localisation: readonly LocalisationPlan[];
  readonly comparisons: readonly Comparison[];
}

export interface PlanOptions extends Pick<EvaluationSettings, 'flip' | 'localise'> {
  /** The first is that of all tables but the comparison of views. */
  readonly views: readonly View[];
}

/** The rows of the paper's Tables 3 to 6, 8 and 9, each once, and their tables; a table with nothing to compare is left out. */
export function planComparisons(compared: Compared, options: PlanOptions): EvaluationPlan {
  const classification = createRows<ClassificationPlan>(classificationKey);
  const localisation = createRows<LocalisationPlan>(localisationKey);
  const classifiers = inPaperOrder(compared.classifiers);
  const comparisons: Comparison[] = [];
  const add = (kind: Comparison['kind'], paper: string, title: string, rows: readonly number[]): void => {
    if (rows.length > 0) comparisons.push({ title, paper, kind, rows: [...new Set(rows)] });
  };
  const row = (members: readonly PlannedMember[], changes: Partial<ClassificationPlan> = {}): number =>
    classification.add({ members, flip: options.flip, view: options.views[0]!, ...changes });

  const single = classifiers.map((network) => [{ network, scales: [middleScale(network)] }]);
  const multiple = classifiers.map((network) => [{ network, scales: network.scales }]);
  add(
    'classification',
    'Table 3',
    'One test scale',
    single.map((members) => row(members)),
  );
  add(
    'classification',
    'section 3.2',
    'Without and with the mirror image',
    options.flip && options.views[0] === 'dense'
      ? single.flatMap((members) => [row(members, { flip: false }), row(members)])
      : [],
  );
  add(
    'classification',
    'Table 4',
    'Several test scales',
    multiple.filter(([member]) => member!.scales.length > 1).map((members) => row(members)),
  );
  add(
    'classification',
    'Table 5',
    'The whole picture, crops, or both',
    options.views.length > 1
      ? multiple.flatMap((members) => options.views.map((view) => row(members, { view })))
      : [],
  );
  add(
    'classification',
    'Table 6',
    'Networks together',
    combinations(compared, classifiers).flatMap((members) =>
      options.views.map((view) => row(members, { view })),
    ),
  );
  if (options.localise) {
    const rows = (plans: readonly LocalisationPlan[]): number[] => plans.map(localisation.add);
    const central = inPaperOrder(compared.localisers).map(centralCrop);
    add('localisation', 'Table 8', 'Boxes of the true class, central crop', rows(central));
    const whole = compared.teams.flatMap((team) => wholeImage(team, options.flip));
    add('localisation', 'Table 9', 'Boxes of the whole picture, merged', rows(whole));
  }
  return { classification: classification.all, localisation: localisation.all, comparisons };
}

export function classificationKey({ members, flip, view }: ClassificationPlan): string {
  return JSON.stringify([members.map(({ network, scales }) => [network.name, scales]), flip, view]);
}

export function localisationKey(plan: LocalisationPlan): string {
  const { method, localisers, classifiers, scales, flip } = plan;
  const names = (networks: readonly ComparedNetwork[]): string[] => networks.map(({ name }) => name);
  return JSON.stringify([method, names(localisers), names(classifiers), scales, flip]);
}

// --- helpers ---

/** Pairs, the networks of each ensemble, and all that have the same classes; each at its own scales. */
function combinations(
  { teams }: Compared,
  classifiers: readonly ComparedNetwork[],
): (readonly PlannedMember[])[] {
  const own = (network: ComparedNetwork): PlannedMember => ({ network, scales: network.scales });
  const alike = (first: ComparedNetwork): readonly ComparedNetwork[] =>
    classifiers.filter((network) => haveSameClasses(first, network));
  const sets = [
    ...classifiers.flatMap((first, i) =>
      classifiers.slice(i + 1).flatMap((second) => (haveSameClasses(first, second) ? [[first, second]] : [])),
    ),
    ...teams.map((team) => inPaperOrder(team.classifiers)),
    ...classifiers.map(alike),
  ];
  return sets.filter((networks) => networks.length > 1).map((networks) => networks.map(own));
}

function centralCrop(network: ComparedNetwork): LocalisationPlan {
  const { min, max } = network.info.trainingScale;
  const scales = [Math.round((min + max) / 2)];
  return { method: 'centralCrop', localisers: [network], classifiers: [], scales, flip: false };
}

/** Each box network at the middle scale and at all scales, and the union of all of them. */
function wholeImage({ classifiers, localisers, scales }: Team, flip: boolean): LocalisationPlan[] {
  const middle = scales[Math.floor((scales.length - 1) / 2)]!;
  const sets = inPaperOrder(localisers).map((network) => [network]);
  if (localisers.length > 1) sets.push(inPaperOrder(localisers));
  return sets.flatMap((networks) =>
    [[middle], scales].map((some) => {
      return { method: 'wholeImage' as const, localisers: networks, classifiers, scales: some, flip };
    }),
  );
}

/** By depth, then by training scale, as in the paper's tables; box networks by kind, then by the layers tuned. */
function inPaperOrder(networks: readonly ComparedNetwork[]): ComparedNetwork[] {
  const tuned = ['fullyConnected', 'all'];
  const key = ({ info }: ComparedNetwork): readonly number[] => [
    architectureNames.indexOf(info.architecture),
    heads.indexOf(info.head),
    tuned.indexOf(info.trainable ?? 'all'),
    info.trainingScale.min,
    info.trainingScale.max,
  ];
  return [...networks].sort((a, b) => {
    const [ofA, ofB] = [key(a), key(b)];
    const at = ofA.findIndex((value, i) => value !== ofB[i]);
    return at < 0 ? 0 : ofA[at]! - ofB[at]!;
  });
}

/** Rows in order of arrival; the same one again returns its first index. */
function createRows<Row>(keyOf: (row: Row) => string): { all: readonly Row[]; add(row: Row): number } {
  const all: Row[] = [];
  const indices = new Map<string, number>();
  return {
    all,
    add(row) {
      const key = keyOf(row);
      const index = indices.get(key) ?? all.push(row) - 1;
      indices.set(key, index);
      return index;
    },
  };
}
