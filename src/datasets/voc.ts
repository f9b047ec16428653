import type { PixelBox } from '../image/box.ts';
import { invalidDataset } from './listing.ts';
import { readText } from './read-text.ts';

/** An object of an image: its class, in ILSVRC a WordNet id, and where it is. */
export interface AnnotatedObject {
  readonly name: string;
  readonly box: PixelBox;
}

/** ILSVRC's files have about a thousand bytes. */
const maxBytes = 2 ** 20;

/** PASCAL VOC's annotation of an image, or `undefined` if the file is absent. Throws INVALID_DATASET with the file's name. */
export async function readVoc(path: string): Promise<AnnotatedObject[] | undefined> {
  const xml = await readText(path, maxBytes);
  return xml === undefined ? undefined : parseVoc(xml, path);
}

/**
 * The objects of `<annotation><object><name/><bndbox><xmin/><ymin/><xmax/><ymax/></bndbox></object></annotation>`, in
 * their order; everything else is skipped. Document types are refused, entities are left as they stand, and the text is
 * gone through once: a hostile file costs no more than its length. Throws INVALID_DATASET.
 */
export function parseVoc(xml: string, where: string): AnnotatedObject[] {
  const objects: AnnotatedObject[] = [];
  const current = new Map<string, string>();
  for (const { path, text } of elements(xml, where)) {
    if (path === 'annotation/object/name') current.set('name', text);
    else if (path.startsWith(cornerPath)) current.set(path.slice(cornerPath.length), text);
    else if (path === 'annotation/object') {
      const name = current.get('name');
      const corners = ['xmin', 'ymin', 'xmax', 'ymax'].map((key) => numberOf(current.get(key)));
      if (!name || corners.includes(Number.NaN)) {
        const received = JSON.stringify(Object.fromEntries(current)).slice(0, maxTagLength);
        throw invalidDataset(
          `${where}: expected objects with a name and xmin, ymin, xmax, ymax, received ${received}`,
        );
      }
      objects.push({ name, box: boxOfCorners(corners) });
      current.clear();
    }
  }
  return objects;
}

/**
 * A box from its corners as VOC and ILSVRC count them: pixels from 1 on, the last one included, so that an image
 * w pixels wide has corners 1 and w. Some tools counted from 0; a corner of 0 is taken as 1.
 */
export function boxOfCorners(corners: readonly number[]): PixelBox {
  const [xmin, ymin, xmax, ymax] = corners as [number, number, number, number];
  const [x, y] = [Math.max(0, xmin - 1), Math.max(0, ymin - 1)];
  return [x, y, xmax - x, ymax - y];
}

// --- helpers ---

const cornerPath = 'annotation/object/bndbox/';

const numberOf = (text: string | undefined): number => (text ? Number(text) : Number.NaN);

/** Deeper and longer than in any annotation; they bound the work that one element can make. */
const maxDepth = 16;
const maxTagLength = 200;

/** Every element at its end, from the inside out: the names on the way to it, and the text directly before its end. */
function* elements(xml: string, where: string): Generator<{ path: string; text: string }> {
  const malformed = (what: string, at: number): never => {
    const line = xml.slice(0, at).split('\n').length;
    throw invalidDataset(`${where}:${line}: expected an annotation in XML, received ${what}`);
  };
  const open: string[] = [];
  let end = 0;
  for (let at = xml.indexOf('<'); at >= 0; at = xml.indexOf('<', end)) {
    const text = xml.slice(end, at).trim();
    const comment = xml.startsWith('<!--', at);
    const last = comment ? '-->' : xml.startsWith('<?', at) ? '?>' : '>';
    const close = xml.indexOf(last, at + (comment ? 4 : 1));
    if (close < 0) malformed(`a tag without ${last}`, at);
    const tag = xml.slice(at + 1, close);
    end = close + last.length;
    if (comment || tag.startsWith('?')) continue;
    if (tag.startsWith('!')) malformed('a declaration, which is not allowed', at);
    if (tag.length > maxTagLength) malformed(`a tag of ${tag.length} characters`, at);
    const name = tag.replace(/^\//, '').split(/[\s/]/, 1)[0]!;
    if (!tag.startsWith('/')) {
      open.push(name);
      if (open.length > maxDepth) malformed(`more than ${maxDepth} elements in each other`, at);
    }
    if (tag.startsWith('/') || tag.endsWith('/')) {
      if (open.at(-1) !== name) malformed(`the end of ${JSON.stringify(name)} out of place`, at);
      yield { path: open.join('/'), text };
      open.pop();
    }
  }
  if (end === 0 || open.length > 0)
    malformed(end === 0 ? 'no element' : `no end of ${open.at(-1)}`, xml.length);
}
