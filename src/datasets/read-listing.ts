import { readSplitContents } from './class-folders.ts';
import { foldersOf, isIlsvrc, readIlsvrc } from './ilsvrc.ts';
import { readImageFolder } from './image-folder.ts';
import { invalidDataset, type Listing, type ListingOptions } from './listing.ts';

/**
 * Lists a split of a data set, an image folder or ILSVRC: what is there says which. Throws INVALID_DATASET if it is
 * neither, where a class has no images, and where labels or boxes are malformed or contradict the folders.
 */
export async function readListing(data: string, split: string, options: ListingOptions): Promise<Listing> {
  const folders = await foldersOf(data, split);
  const found = await readSplitContents(folders.images);
  if (found.classes.length === 0 && found.images.length === 0) {
    throw invalidDataset(`expected folders of classes in ${folders.images}, found none`);
  }
  return (await isIlsvrc(folders, found))
    ? readIlsvrc(folders, found, split, options)
    : readImageFolder(folders.images, found.classes, options.list);
}
