import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import pMap from 'p-map';
import { readClassFolders, readList, type SplitContents } from './class-folders.ts';
import { readGroundTruth } from './ground-truth.ts';
import { filesAtOnce, invalidDataset, type Listing, type ListingOptions, type Sample } from './listing.ts';
import { readSolution } from './solution.ts';
import { type AnnotatedObject, readVoc } from './voc.ts';

/** Where the parts of a split may lie (docs/training.md has the trees). */
export interface SplitFolders {
  readonly isClsLoc: boolean;
  /** The split's images: folders of classes, or all in one. */
  readonly images: string;
  /** Of the split's XML files, which lie as the images do. */
  readonly annotations: string;
  /** Where the lists of labels may be. */
  readonly lists: readonly string[];
}

/**
 * Where a split of a data set lies: in the CLS-LOC tree (`ILSVRC/Data/CLS-LOC/...`) if there is one, else as the
 * development kit has it, and the image folder: `train/`, `val/`, and for ILSVRC `Annotations/` and the lists beside them.
 */
export async function foldersOf(data: string, split: string): Promise<SplitFolders> {
  for (const root of [data, join(data, 'ILSVRC')]) {
    if (!(await exists(join(root, 'Data', 'CLS-LOC')))) continue;
    return {
      isClsLoc: true,
      images: join(root, 'Data', 'CLS-LOC', split),
      annotations: join(root, 'Annotations', 'CLS-LOC', split),
      lists: [dirname(root), root, join(root, 'devkit', 'data')],
    };
  }
  return {
    isClsLoc: false,
    images: join(data, split),
    annotations: join(data, 'Annotations', split),
    lists: [data, ...['data', 'devkit/data', 'ILSVRC2012_devkit_t12/data'].map((at) => join(data, at))],
  };
}

/** Whether a split is of ILSVRC: its images lie in one folder, or have XML files; the CLS-LOC tree always is. */
export async function isIlsvrc(folders: SplitFolders, { classes }: SplitContents): Promise<boolean> {
  return folders.isClsLoc || classes.length === 0 || exists(folders.annotations);
}

/**
 * A split of ILSVRC. The classes of images that lie in one folder come from `LOC_val_solution.csv`, from the
 * development kit's ground truth, or from the images' XML files, the first that is there; the boxes from
 * `LOC_SPLIT_solution.csv`, or from the XML files: of the first object of the image's class. Throws INVALID_DATASET.
 */
export async function readIlsvrc(
  folders: SplitFolders,
  { classes, images }: SplitContents,
  split: string,
  { list, boxes }: ListingOptions,
): Promise<Listing> {
  const solution = await firstSolution(folders.lists, `LOC_${split}_solution.csv`);
  const objectsOf = async (name: string): Promise<readonly AnnotatedObject[]> =>
    solution
      ? (solution.get(withoutExtension(basename(name))) ?? [])
      : ((await readVoc(join(folders.annotations, `${withoutExtension(name)}.xml`))) ?? []);
  const withBoxes = ({ labels, samples }: Listing): Promise<Sample[]> =>
    pMap(
      samples,
      async (sample) => {
        const own = (await objectsOf(sample.name)).find(({ name }) => name === labels[sample.label]);
        return own ? { ...sample, box: own.box } : sample;
      },
      { concurrency: filesAtOnce },
    );

  const inFolders = (): Promise<Listing> => readClassFolders(folders.images, classes, list);
  const inOne = async (): Promise<Listing> => {
    const wanted = await readList(list);
    const names = images.filter(wanted.takes);
    wanted.checkAllTaken(folders.images);
    const groundTruth = solution ? undefined : await readGroundTruth(folders.lists);
    const synsets = await pMap(
      names,
      async (name) => {
        const synset = groundTruth ? groundTruth(name) : (await objectsOf(name))[0]?.name;
        if (synset === undefined) throw withoutLabel(folders, name);
        return synset;
      },
      { concurrency: filesAtOnce },
    );
    const labels = [...new Set(synsets)].sort();
    const indices = new Map(labels.map((label, i) => [label, i]));
    const samples = names.map((name, i) => {
      return { name, path: join(folders.images, name), label: indices.get(synsets[i]!)! };
    });
    return { labels, samples: samples.sort((a, b) => a.label - b.label), notes: [] };
  };
  const listing = classes.length > 0 ? await inFolders() : await inOne();
  return boxes ? { ...listing, samples: await withBoxes(listing) } : listing;
}

// --- helpers ---

const withoutExtension = (name: string): string => name.slice(0, name.length - extname(name).length);

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function firstSolution(folders: readonly string[], name: string) {
  for (const folder of folders) {
    const solution = await readSolution(join(folder, name));
    if (solution) return solution;
  }
  return undefined;
}

function withoutLabel({ images, annotations, lists }: SplitFolders, name: string) {
  return invalidDataset(
    `expected folders of classes in ${images}, or the class of ${name}: in a LOC_val_solution.csv or an ` +
      `ILSVRC2012_validation_ground_truth.txt in ${lists.join(' or ')}, or in ${withoutExtension(join(annotations, name))}.xml`,
  );
}
