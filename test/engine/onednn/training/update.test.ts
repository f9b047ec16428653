import { expect, it } from 'vitest';
import { loadOnednn } from '../../../../src/engine/onednn/library/library.ts';
import { createScope } from '../../../../src/engine/onednn/primitives/scope.ts';
import { createUpdate } from '../../../../src/engine/onednn/training/update.ts';
import { createRandom } from '../../../../src/network/random.ts';
import { relativeError } from '../../reference-values.ts';
import { describeOnednn } from '../library.ts';

describeOnednn('update', () => {
  it("is Caffe's rule over blocks of several parts, at each rate", async () => {
    const scope = createScope(await loadOnednn());
    const random = createRandom(1);
    const count = 1_200_000; // a part is a million numbers
    const desc = scope.desc([count], 'f32', 'rowMajor');
    const block = () =>
      scope.share(
        desc,
        Float32Array.from({ length: count }, () => random.next() - 0.5),
      );
    const [weights, gradient, velocity] = [block(), block(), block()];
    const [w, v] = [Float64Array.from(weights.array), Float64Array.from(velocity.array)];
    const update = createUpdate(scope, { weights, gradient, velocity }, { momentum: 0.9, weightDecay: 0.05 });
    for (const rate of [0.1, 0.01]) {
      update(rate);
      for (let i = 0; i < count; i++) {
        v[i] = 0.9 * v[i]! - rate * (gradient.array[i]! + 0.05 * w[i]!);
        w[i]! += v[i]!;
      }
      expect(relativeError(velocity.array, Float32Array.from(v))).toBeLessThan(1e-6);
      expect(relativeError(weights.array, Float32Array.from(w))).toBeLessThan(1e-6);
    }
    scope.dispose();
  });
});
