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

/** One thread each, so that two trainings make good use of two cores. */
const net = '--width 0.25 --fc 512 --crop 128 --threads 1';
const large = `${net} --scale 128-192`;
const common = `${large} --precision bf16`;
const thirty = { data: 'caltech101', list: 'train30.txt' } as const;
const fifteen = { data: 'caltech101', list: 'train15.txt' } as const;

/** The low rate at first: with a higher one these nets stay at chance longer, as their signal dies before they learn. */
const shallow = '--architecture A --initialise he';
const deeper = '--architecture D --initialise he';
const deepest = '--architecture E --initialise he';

/** The second training of 30 images a class, on larger pictures: the rate falls through 0.003. */
const further = `${net} --scale 128-224 --precision bf16 --batch 32`;
const falling = '0.002,2:0.01,70:0.003,92:0.001,104:0.0001';
const fallingLater = '0.002,3:0.01,80:0.003,102:0.001,114:0.0001';

/** `d15` with fewer epochs, so that it can be run in fp32 as well. */
const short = `${deeper} ${large} --batch 32 --epochs 26 --rate 0.002,3:0.01,18:0.001,24:0.0001 --seed 2`;

/** Small pictures, on which a comparison takes minutes, not an hour. */
const small = '--width 0.25 --fc 512 --crop 64 --batch 16 --threads 1';
const anyPrecision = `${small} --scale 64-96`;
const jittered = `${anyPrecision} --precision bf16`;
const fixed = `${small} --precision bf16 --scale 80`;
const boxes = { data: 'boxes4', from: 'small-d30' } as const;
const rates = '--epochs 44 --rate 0.002,7:0.005,34:0.0005,42:0.0001';
const high = '--initialise he --epochs 38 --rate 0.002,4:0.005';
const lower = '--epochs 6 --rate 0.0005,5:0.0001';
const fifteenRates = '--epochs 70 --rate 0.002,14:0.005,56:0.0005,67:0.0001';
const wholeRates = '--epochs 36 --rate 0.002,5:0.005,24:0.0005,33:0.0001';
const whole = `${shallow} ${wholeRates} ${anyPrecision}`;
const stallRates = '--architecture D --epochs 5 --rate 0.002';
const boxRates = '--architecture D --epochs 8 --rate 0.001,7:0.0001';

/** Of the pairs of trainings whose only difference is the precision. */
export const precisionSeeds = [1, 2, 3] as const;

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
    name: 'd30-more',
    ...thirty,
    from: 'd30',
    options: `${deeper} ${further} --epochs 110 --rate ${falling} --seed 5`,
  },
  {
    name: 'e30',
    ...thirty,
    from: 'd30',
    options: `${deepest} ${further} --epochs 120 --rate ${fallingLater} --seed 6`,
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
    options: `${shallow} ${fifteenRates} ${anyPrecision} --precision fp32`,
  },
  ...precisionSeeds.flatMap((seed) =>
    ['bf16', 'fp32'].map((precision) => ({
      name: `a-${precision}-${seed}`,
      data: 'caltech101' as const,
      options: `${whole} --seed ${seed} --precision ${precision}`,
    })),
  ),
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
