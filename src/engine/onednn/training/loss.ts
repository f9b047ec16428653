/** Losses of training (paper, 3.1 and appendix A), on the float32 matrix that the last layer answers. */

/** What the losses compare with, one entry a picture. */
export interface Targets {
  readonly labels: Int32Array;
  /** `[count, 4]`; heads `scr` and `pcr`. */
  readonly boxes?: Float32Array;
}

/**
 * Writes the gradient of `share` times the mean loss into `gradient`, both `[count, outputs]`, and answers the mean loss
 * of these pictures.
 */
export type Loss = (outputs: Float32Array, gradient: Float32Array, targets: Targets, share: number) => number;

/** Multinomial logistic regression: cross-entropy of the softmax. */
export const crossEntropy: Loss = (scores, gradient, { labels }, share) => {
  const count = labels.length;
  const classes = scores.length / count;
  const scale = share / count;
  let loss = 0;
  for (let i = 0; i < count; i++) {
    const start = i * classes;
    const end = start + classes;
    let max = Number.NEGATIVE_INFINITY;
    for (let j = start; j < end; j++) max = Math.max(max, scores[j]!);
    let sum = 0;
    for (let j = start; j < end; j++) sum += Math.exp(scores[j]! - max);
    const logSum = max + Math.log(sum);
    const truth = start + labels[i]!;
    for (let j = start; j < end; j++) {
      gradient[j] = scale * (Math.exp(scores[j]! - logSum) - (j === truth ? 1 : 0));
    }
    loss += logSum - scores[truth]!;
  }
  return loss / count;
};

/** Caffe's Euclidean loss, sum((box - target)^2) / 2, of the one box (SCR) or of the true class's (PCR). */
export const euclidean: Loss = (boxes, gradient, { labels, boxes: targets }, share) => {
  const count = labels.length;
  const outputs = boxes.length / count;
  const scale = share / count;
  let loss = 0;
  gradient.fill(0);
  for (let i = 0; i < count; i++) {
    const start = i * outputs + (outputs === 4 ? 0 : 4 * labels[i]!);
    for (let k = 0; k < 4; k++) {
      const difference = boxes[start + k]! - targets![4 * i + k]!;
      gradient[start + k] = scale * difference;
      loss += difference ** 2 / 2;
    }
  }
  return loss / count;
};
