/** A `verydeep train`. */
export interface Training {
  /** Name of its run folder. */
  readonly name: string;
  readonly data: 'caltech101' | 'boxes4';
  /** File beside the data set's folders that lists the training images. */
  readonly list?: string;
  /** Name of the training that it starts from. */
  readonly from?: string;
  readonly options: string;
}

/** A row of an evaluation's tables. `one` is the middle test scale, `all` are several. */
export interface RowName {
  readonly networks: readonly string[];
  readonly scales: 'one' | 'all';
  /** `dense` where not given. */
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

/** One thread each, so that two trainings make good use of two cores. */
const large = '--width 0.25 --fc 512 --crop 128 --scale 128-192 --threads 1';
const common = `${large} --precision bf16`;
const thirty = { data: 'caltech101', list: 'train30.txt' } as const;
const fifteen = { data: 'caltech101', list: 'train15.txt' } as const;

/** The low rate at first: with a higher one these nets stay at chance longer, as their signal dies before they learn. */
const shallow = '--architecture A --initialise he';
const deeper = '--architecture D --initialise he';

const short = `${deeper} ${large} --batch 32 --epochs 26 --rate 0.002,3:0.01,18:0.001,24:0.0001 --seed 2`;

/** Small pictures, on which a comparison takes minutes, not an hour. */
const small = '--width 0.25 --fc 512 --crop 64 --batch 16 --threads 1';
const jittered = `${small} --precision bf16 --scale 64-96`;
const fixed = `${small} --precision bf16 --scale 80`;
const boxes = { data: 'boxes4', from: 'small-d30' } as const;
const rates = '--epochs 44 --rate 0.002,7:0.005,34:0.0005,42:0.0001';
const high = '--initialise he --epochs 38 --rate 0.002,4:0.005';
const lower = '--epochs 6 --rate 0.0005,5:0.0001';
const fifteenRates = '--epochs 70 --rate 0.002,14:0.005,56:0.0005,67:0.0001';
const stallRates = '--architecture D --epochs 5 --rate 0.002';
const boxRates = '--architecture D --epochs 8 --rate 0.001,7:0.0001';

/** A is trained first, and the deeper ones start from it (paper, 3.1). What a training starts from comes before it. */
export const trainings: readonly Training[] = [
  {
    name: 'a30',
    ...thirty,
    options: `${shallow} ${common} --batch 32 --epochs 22 --rate 0.002,8:0.005,14:0.01 --seed 1`,
  },
  {
    name: 'd30-start',
    ...thirty,
    from: 'a30',
    options: `${deeper} ${common} --batch 32 --epochs 21 --rate 0.005,4:0.01 --seed 2`,
  },
  {
    name: 'd30',
    ...thirty,
    from: 'd30-start',
    options: `${deeper} ${common} --batch 8 --epochs 100 --rate 0.005,80:0.0005,94:0.00005 --seed 3`,
  },
  {
    name: 'a15',
    ...fifteen,
    options: `${shallow} ${common} --batch 32 --epochs 90 --rate 0.005,4:0.01,80:0.001 --seed 1`,
  },
  {
    name: 'd15',
    ...fifteen,
    from: 'a15',
    options: `${deeper} ${common} --batch 32 --epochs 70 --rate 0.002,3:0.01,54:0.001,66:0.0001 --seed 2`,
  },
  { name: 'd15-bf16', ...fifteen, from: 'a15', options: `${short} --precision bf16` },
  { name: 'd15-fp32', ...fifteen, from: 'a15', options: `${short} --precision fp32` },
  { name: 'small-a30', ...thirty, options: `${shallow} ${rates} ${jittered}` },
  { name: 'small-d30-high', ...thirty, from: 'small-a30', options: `--architecture D ${high} ${jittered}` },
  { name: 'small-d30', ...thirty, from: 'small-d30-high', options: `--architecture D ${lower} ${jittered}` },
  { name: 'small-e30-high', ...thirty, from: 'small-a30', options: `--architecture E ${high} ${jittered}` },
  { name: 'small-e30', ...thirty, from: 'small-e30-high', options: `--architecture E ${lower} ${jittered}` },
  { name: 'small-a30-80', ...thirty, options: `${shallow} ${rates} ${fixed}` },
  { name: 'scr-fc', ...boxes, options: `--head scr --trainable fullyConnected ${boxRates} ${fixed}` },
  { name: 'scr', ...boxes, options: `--head scr ${boxRates} ${fixed}` },
  { name: 'pcr-fc', ...boxes, options: `--head pcr --trainable fullyConnected ${boxRates} ${fixed}` },
  { name: 'pcr', ...boxes, options: `--head pcr ${boxRates} ${fixed}` },
  { name: 'small-a15', ...fifteen, options: `${shallow} ${fifteenRates} ${jittered}` },
  {
    name: 'small-a15-fp32',
    ...fifteen,
    options: `${shallow} ${fifteenRates} ${small} --precision fp32 --scale 64-96`,
  },
  { name: 'd15-gaussian', ...fifteen, options: `--initialise gaussian ${stallRates} ${jittered}` },
  {
    name: 'd15-a-gaussian',
    ...fifteen,
    from: 'small-a15',
    options: `--initialise gaussian ${stallRates} ${jittered}`,
  },
  { name: 'd15-a-he', ...fifteen, from: 'small-a15', options: `--initialise he ${stallRates} ${jittered}` },
  { name: 'd15-he', ...fifteen, options: `--initialise he ${stallRates} ${jittered}` },
];

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
    runs: ['d30'],
    options: '',
    goals: [{ row: all('d30'), published: 0.465, goal: 0.55 }],
    claims: [better('several scales over one', all('d30'), one('d30'))],
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
    runs: ['d30'],
    options: '--view dense,crops,both',
    claims: [
      better('crops over dense', { ...all('d30'), view: 'crops' }, all('d30')),
      better('both over crops', { ...all('d30'), view: 'both' }, { ...all('d30'), view: 'crops' }),
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
