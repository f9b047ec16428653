import { areaOf, type Box, intersectionOverUnion } from '../image/box.ts';

/** A predicted box of one class, and the class's posterior of the window that predicted it. */
export interface Candidate {
  readonly box: Box;
  readonly posterior: number;
}

/** Boxes that were merged into one. */
export interface MergedBox {
  readonly box: Box;
  /** Sum of the posteriors. */
  readonly score: number;
  /** How many were merged. */
  readonly windows: number;
}

/** Pairs that match worse than this stay apart: boxes of one size merge when moved by less than about a third of a side. */
export const matchThreshold = 0.8;

/**
 * How badly two boxes match: 0 for equal ones, over 1 for those that do not meet. As in OverFeat, the distance between
 * the centres weighed against the intersection, here both without a unit, so that enlarging a picture changes nothing:
 *
 *     distance / sqrt(mean of the areas) + 1 - intersection / union
 */
export function matchScore(a: Box, b: Box): number {
  const dx = a.x + a.width / 2 - (b.x + b.width / 2);
  const dy = a.y + a.height / 2 - (b.y + b.height / 2);
  const meanArea = (areaOf(a) + areaOf(b)) / 2;
  return Math.sqrt((dx * dx + dy * dy) / meanArea) + 1 - intersectionOverUnion(a, b);
}

/**
 * OverFeat's greedy merging, of one class's boxes (paper, appendix A): while the best pair's match score is under the
 * threshold, the two are replaced by the average of their coordinates, weighted by their posteriors, and these are
 * added: a merged box is the mean of its windows' boxes, whatever the order (docs/adr/0004). Returns the
 * boxes that are left, highest score first. Boxes must have a positive area. Of pairs that match equally well, the one
 * whose boxes come first is merged, into the place of its first box.
 */
export function mergeBoxes(candidates: readonly Candidate[], threshold = matchThreshold): MergedBox[] {
  const boxes: (MergedBox | undefined)[] = candidates.map(({ box, posterior }) => ({
    box,
    score: posterior,
    windows: 1,
  }));
  const n = boxes.length;
  // Pairs i < j. Each row knows its best partner, so a merge looks again only at the rows that lost theirs.
  const scores = new Float64Array(n * n).fill(Number.POSITIVE_INFINITY);
  const partner = new Int32Array(n).fill(-1);

  const findPartner = (i: number): void => {
    let best = -1;
    let bestScore = Number.POSITIVE_INFINITY;
    for (let j = i + 1; j < n; j++) {
      if (scores[i * n + j]! < bestScore) {
        best = j;
        bestScore = scores[i * n + j]!;
      }
    }
    partner[i] = best;
  };

  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) scores[i * n + j] = matchScore(boxes[i]!.box, boxes[j]!.box);
    findPartner(i);
  }

  for (;;) {
    let i = -1;
    let best = threshold;
    for (let row = 0; row < n; row++) {
      const score = partner[row]! < 0 ? Number.POSITIVE_INFINITY : scores[row * n + partner[row]!]!;
      if (score < best) {
        i = row;
        best = score;
      }
    }
    if (i < 0) break;
    const j = partner[i]!;
    const merged = average(boxes[i]!, boxes[j]!);
    boxes[i] = merged;
    boxes[j] = undefined;
    partner[j] = -1;
    for (let k = 0; k < n; k++) {
      const other = boxes[k];
      if (!other) continue;
      if (k < j) scores[k * n + j] = Number.POSITIVE_INFINITY;
      if (k < i) {
        scores[k * n + i] = matchScore(other.box, merged.box);
        const current = partner[k]!;
        const lost = current === i || current === j;
        if (lost || isBefore(scores, k * n, i, current)) findPartner(k);
      } else if (k > i) {
        scores[i * n + k] = matchScore(merged.box, other.box);
        if (partner[k] === j) findPartner(k);
      }
    }
    findPartner(i);
  }
  return boxes.filter((box) => box !== undefined).sort((a, b) => b.score - a.score);
}

// --- helpers ---

/** Whether partner `j` of the row that starts at `row` comes before its `current` one. */
function isBefore(scores: Float64Array, row: number, j: number, current: number): boolean {
  if (current < 0) return true;
  const [score, best] = [scores[row + j]!, scores[row + current]!];
  return score < best || (score === best && j < current);
}

function average(a: MergedBox, b: MergedBox): MergedBox {
  const score = a.score + b.score;
  const share = score > 0 ? a.score / score : 0.5;
  const mean = (side: keyof Box): number => share * a.box[side] + (1 - share) * b.box[side];
  return {
    box: { x: mean('x'), y: mean('y'), width: mean('width'), height: mean('height') },
    score,
    windows: a.windows + b.windows,
  };
}
