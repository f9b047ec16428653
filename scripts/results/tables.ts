import { precisionSeeds, type Training } from './trainings.ts';

/** A row of an evaluation's tables. `one` is the middle test scale, `all` are several. */
export interface RowName {
  readonly networks: readonly string[];
  readonly scales: 'one' | 'all';
  /** `dense` when omitted. */
  readonly view?: 'dense' | 'crops' | 'both';
}

/** What the paper lets expect of two rows: the first is better, or they are alike to within a point. */
export interface Claim {
  readonly says: string;
  readonly first: RowName;
  readonly second: RowName;
  readonly expected: 'better' | 'alike';
}

/** A share that a row should reach, of the mean of the classes' own accuracies. */
export interface Goal {
  readonly row: RowName;
  readonly published: number;
  readonly goal: number;
}

/** A `verydeep evaluate` on the validation images. */
export interface Table {
  readonly name: string;
  readonly title: string;
  readonly data: Training['data'];
  readonly runs: readonly string[];
  readonly options: string;
  readonly claims: readonly Claim[];
  readonly goals?: readonly Goal[];
}

/** Trainings whose curves are drawn in one plot. */
export interface Curves {
  readonly name: string;
  readonly title: string;
  /** How many of each run are shown. */
  readonly epochs: number;
  readonly runs: readonly { readonly name: string; readonly says: string }[];
}

const one = (...networks: string[]): RowName => ({ networks, scales: 'one' });
const all = (...networks: string[]): RowName => ({ networks, scales: 'all' });
const better = (says: string, first: RowName, second: RowName): Claim => {
  return { says, first, second, expected: 'better' };
};
const alike = (says: string, first: RowName, second: RowName): Claim => {
  return { says, first, second, expected: 'alike' };
};

export const tables: readonly Table[] = [
  {
    name: 'caltech30',
    title: 'Caltech-101, 30 images a class',
    data: 'caltech101',
    runs: ['d30-more', 'e30'],
    options: '',
    goals: [{ row: all('d30-more', 'e30'), published: 0.465, goal: 0.55 }],
    claims: [
      better('several scales over one, D', all('d30-more'), one('d30-more')),
      better('several scales over one, E', all('e30'), one('e30')),
      better('D and E over D', all('d30-more', 'e30'), all('d30-more')),
      better('D and E over E', all('d30-more', 'e30'), all('e30')),
    ],
  },
  {
    name: 'depth',
    title: 'A, D and E',
    data: 'caltech101',
    runs: ['small-a30', 'small-d30', 'small-e30'],
    options: '',
    claims: [
      better('D over A', one('small-d30'), one('small-a30')),
      better('E over A', one('small-e30'), one('small-a30')),
      better('several scales over one, E', all('small-e30'), one('small-e30')),
      better('D and E over D', all('small-d30', 'small-e30'), all('small-d30')),
      better('D and E over E', all('small-d30', 'small-e30'), all('small-e30')),
    ],
  },
  {
    name: 'views',
    title: 'The whole picture, crops, or both',
    data: 'caltech101',
    runs: ['small-d30'],
    options: '--view dense,crops,both',
    claims: [
      better('crops over dense', { ...all('small-d30'), view: 'crops' }, all('small-d30')),
      better(
        'both over crops',
        { ...all('small-d30'), view: 'both' },
        { ...all('small-d30'), view: 'crops' },
      ),
    ],
  },
  {
    name: 'caltech15',
    title: 'Caltech-101, 15 images a class',
    data: 'caltech101',
    runs: ['a15', 'd15'],
    options: '',
    goals: [{ row: all('a15', 'd15'), published: 0.228, goal: 0.35 }],
    claims: [
      better('D over A', one('d15'), one('a15')),
      better('several scales over one, D', all('d15'), one('d15')),
      better('A and D over D', all('a15', 'd15'), all('d15')),
    ],
  },
  {
    name: 'jittering',
    title: 'Jittered over fixed training scale',
    data: 'caltech101',
    runs: ['small-a30-80', 'small-a30'],
    options: '',
    claims: [
      better('S from 64 to 96 over S = 80, one scale', one('small-a30'), one('small-a30-80')),
      better('S from 64 to 96 over S = 80, several scales', all('small-a30'), all('small-a30-80')),
    ],
  },
  {
    name: 'boxes',
    title: 'Boxes: one a class over one for all, all layers over the fully connected ones',
    data: 'boxes4',
    runs: ['scr-fc', 'scr', 'pcr-fc', 'pcr'],
    options: '',
    claims: [
      better('PCR over SCR, all layers', one('pcr'), one('scr')),
      better('PCR over SCR, fully connected layers', one('pcr-fc'), one('scr-fc')),
      better('all layers over fully connected, SCR', one('scr'), one('scr-fc')),
      better('all layers over fully connected, PCR', one('pcr'), one('pcr-fc')),
    ],
  },
  {
    name: 'precision',
    title: 'bf16 beside fp32',
    data: 'caltech101',
    runs: ['d15-bf16', 'd15-fp32'],
    options: '',
    claims: [alike('bf16 and fp32 within one point', one('d15-bf16'), one('d15-fp32'))],
  },
  {
    name: 'precision-seeds',
    title: 'bf16 beside fp32, from nothing, on all training images, with three seeds',
    data: 'caltech101',
    runs: precisionSeeds.flatMap((seed) => [`a-bf16-${seed}`, `a-fp32-${seed}`]),
    options: '',
    claims: precisionSeeds.map((seed) =>
      alike(`bf16 and fp32 within one point, seed ${seed}`, one(`a-bf16-${seed}`), one(`a-fp32-${seed}`)),
    ),
  },
  {
    name: 'precision-start',
    title: 'bf16 beside fp32, from nothing',
    data: 'caltech101',
    runs: ['small-a15', 'small-a15-fp32'],
    options: '',
    claims: [alike('bf16 and fp32 within one point', one('small-a15'), one('small-a15-fp32'))],
  },
];

export const curves: readonly Curves[] = [
  {
    name: 'stall',
    title: 'How D starts: the stall of deep nets',
    epochs: 5,
    runs: [
      { name: 'd15-gaussian', says: 'all layers from N(0, 0.01²)' },
      { name: 'd15-a-gaussian', says: 'A’s layers, the others from N(0, 0.01²)' },
      { name: 'd15-he', says: 'all layers by He' },
      { name: 'd15-a-he', says: 'A’s layers, the others by He' },
    ],
  },
];
