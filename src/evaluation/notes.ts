import { examplesOf } from '../datasets/listing.ts';
import type { Evaluation } from './evaluation.ts';

/** `1 image`, `12 images`; `1 class`, `3 classes`; `1 box`, `2 boxes`. */
export function counted(count: number, thing: string): string {
  if (count === 1) return `1 ${thing}`;
  return `${count} ${thing}${/[sx]$/.test(thing) ? 'es' : 's'}`;
}

/** `64.3 %` */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** `693 images of 101 classes; onednn fp32` */
export function dataLine({ data, engine }: Evaluation): string {
  const boxes = data.boxes > 0 ? `, ${data.boxes} with a box` : '';
  const images = `${counted(data.images, 'image')} of ${counted(data.classes, 'class')}`;
  return `${images}${boxes}; ${engine.engine} ${engine.precision}`;
}

/** What was left out and why; nothing if all images were measured. */
export function skippedLines({ skipped: { unknownClasses, unreadable } }: Evaluation): string[] {
  const lines: string[] = [];
  if (unknownClasses.length > 0) {
    const images = unknownClasses.reduce((sum, { images: own }) => sum + own, 0);
    const labels = examplesOf(unknownClasses.map(({ label }) => label));
    lines.push(`left out: ${counted(images, 'image')} of classes that not all networks know: ${labels}`);
  }
  if (unreadable.length > 0) {
    const [{ name, reason }] = unreadable as [(typeof unreadable)[0]];
    const example = unreadable.length > 1 ? ', for instance' : ':';
    lines.push(
      `left out: ${counted(unreadable.length, 'image')} that cannot be read${example} ${name}: ${reason}`,
    );
  }
  return lines;
}
