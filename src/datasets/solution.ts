import { invalidDataset } from './listing.ts';
import { readLines } from './read-text.ts';
import { type AnnotatedObject, boxOfCorners } from './voc.ts';

/**
 * `LOC_train_solution.csv` or `LOC_val_solution.csv`: the objects of each image by its name without `.JPEG`, or
 * `undefined` if the file is absent. A line is `ImageId,WNID XMIN YMIN XMAX YMAX WNID ...`. Throws INVALID_DATASET.
 */
export async function readSolution(path: string): Promise<Map<string, AnnotatedObject[]> | undefined> {
  const lines = await readLines(path);
  if (lines === undefined) return undefined;
  return new Map(
    lines.slice(1).map((line, i) => {
      const [image, objects = ''] = line.split(',') as [string, string?];
      return [image, parseObjects(objects.trim(), `${path}:${i + 2}`)];
    }),
  );
}

// --- helpers ---

function parseObjects(text: string, where: string): AnnotatedObject[] {
  const fields = text.split(/\s+/);
  const corners = fields.filter((_, i) => i % 5 !== 0).map(Number);
  if (fields.length % 5 !== 0 || corners.includes(Number.NaN)) {
    throw invalidDataset(`${where}: expected WNID XMIN YMIN XMAX YMAX, received ${JSON.stringify(text)}`);
  }
  return Array.from({ length: fields.length / 5 }, (_, i) => {
    return { name: fields[i * 5]!, box: boxOfCorners(corners.slice(i * 4, i * 4 + 4)) };
  });
}
