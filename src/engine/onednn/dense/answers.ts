/** From the answers of the dense view, `[views x count, h', w', outputs]`, to what the engine's interface promises. */

interface Sizes {
  /** 2 where the mirror images follow the pictures, else 1. */
  readonly views: number;
  readonly count: number;
  readonly outputs: number;
}

/** Posteriors `[count, classes]`: scores averaged over the map (sum-pooling), softmax, averaged over the views (paper, 3.2). */
export function posteriorsOf(answers: Float32Array, { views, count, outputs }: Sizes): Float32Array {
  const perPicture = answers.length / (views * count);
  const positions = perPicture / outputs;
  const posteriors = new Float32Array(count * outputs);
  const scores = new Float64Array(outputs);
  for (let i = 0; i < views * count; i++) {
    scores.fill(0);
    const start = i * perPicture;
    for (let j = 0; j < perPicture; j++) scores[j % outputs]! += answers[start + j]! / positions;
    const max = Math.max(...scores);
    let sum = 0;
    for (let c = 0; c < outputs; c++) sum += scores[c] = Math.exp(scores[c]! - max);
    const offset = (i % count) * outputs;
    for (let c = 0; c < outputs; c++) posteriors[offset + c]! += scores[c]! / sum / views;
  }
  return posteriors;
}

/** Features `[count, outputs]`: averaged over the map and over the views (paper, appendix B). */
export function featuresOf(answers: Float32Array, { views, count, outputs }: Sizes): Float32Array {
  const perPicture = answers.length / (views * count);
  const summands = (views * perPicture) / outputs;
  const sums = new Float64Array(count * outputs);
  answers.forEach((value, i) => {
    const picture = Math.floor(i / perPicture) % count;
    sums[picture * outputs + (i % outputs)]! += value / summands;
  });
  return Float32Array.from(sums);
}

/** `[pictures, positions, outputs]` to `[pictures, outputs, positions]`. */
export function toPlanes(answers: Float32Array, outputs: number, positions: number): Float32Array {
  const planes = new Float32Array(answers.length);
  const perPicture = outputs * positions;
  for (let start = 0; start < answers.length; start += perPicture) {
    for (let c = 0; c < outputs; c++) {
      for (let p = 0; p < positions; p++)
        planes[start + c * positions + p] = answers[start + p * outputs + c]!;
    }
  }
  return planes;
}
