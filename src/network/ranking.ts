/** Classes in the order of their posteriors `[classes]`: highest first; of equal ones the lower index comes first. */

/** The first `count` classes, or all when there are fewer. */
export function highest(posteriors: ArrayLike<number>, count: number): number[] {
  const classes: number[] = [];
  for (let i = 0; i < posteriors.length; i++) {
    let at = classes.length;
    while (at > 0 && posteriors[classes[at - 1]!]! < posteriors[i]!) at--;
    if (at >= count) continue;
    classes.splice(at, 0, i);
    if (classes.length > count) classes.pop();
  }
  return classes;
}

/** How many classes come before class `index`. */
export function rankOf(posteriors: ArrayLike<number>, index: number): number {
  const own = posteriors[index]!;
  let rank = 0;
  for (let i = 0; i < posteriors.length; i++) {
    if (posteriors[i]! > own || (posteriors[i] === own && i < index)) rank++;
  }
  return rank;
}
