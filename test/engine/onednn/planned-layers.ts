import { type ChooseWeights, planMaps, planPositions } from '../../../src/engine/onednn/dense/plan.ts';
import { paddedRows, paddedSize } from '../../../src/engine/onednn/dense/shape.ts';
import { chooseAmong, layoutsFor } from '../../../src/engine/onednn/dense/weight-layouts.ts';
import { loadOnednn } from '../../../src/engine/onednn/library/library.ts';
import { dataTypeFor } from '../../../src/engine/onednn/precision.ts';
import type { PrimitiveDesc } from '../../../src/engine/onednn/primitives/primitives.ts';
import { createScope, type Scope, sameDesc } from '../../../src/engine/onednn/primitives/scope.ts';
import { slownessOf } from '../../../src/engine/onednn/primitives/slowness.ts';
import type { Precision } from '../../../src/engine/precision.ts';
import { isVerydeepError } from '../../../src/errors.ts';
import type { ForwardSpec } from '../../../src/network/architecture.ts';

/** What is planned for all the shapes of a network in one precision. */
export interface PlannedNetwork {
  readonly plans: number;
  /** `classifier.0 ip:any+gemm:jit 2x224x224` for each layer that is planned with a slow implementation. */
  readonly slow: readonly string[];
  /** Fully connected layers, most of the weights, that would be in memory in a second layout. */
  readonly copied: readonly string[];
}

/** Powers of two, as pictures are computed (dense/network.ts). */
const counts = [1, 2, 4, 8, 16];
const positions = [1, 2, 3, 4, 5, 7, 8, 9, 30, 64, 100, 256, 600];

/** Plans a network for pictures of these sizes in batches; nothing is computed. `undefined` where the precision is not there. */
export async function planNetwork(
  spec: ForwardSpec,
  sizes: readonly (readonly [height: number, width: number])[],
  precision: Precision,
): Promise<PlannedNetwork | undefined> {
  const onednn = await loadOnednn();
  onednn.setThreads(2);
  let type: ReturnType<typeof dataTypeFor>;
  try {
    type = dataTypeFor(onednn, precision);
  } catch (error) {
    if (isVerydeepError(error, 'DEVICE_UNAVAILABLE')) return undefined;
    throw error;
  }
  const scope = createScope(onednn);
  const layouts = new Map([...layoutsFor(scope, spec, type)].map(([{ name }, desc]) => [name, desc]));
  const slow: string[] = [];
  const copied = new Set<string>();
  let plans = 0;
  const check = (name: string, plan: PrimitiveDesc, shape: string): void => {
    plans += 1;
    if (slownessOf(plan) > 0) slow.push(`${name} ${plan.implementation} ${shape}`);
  };
  const within = (use: (program: Scope, choose: ChooseWeights) => void): void => {
    const program = createScope(onednn);
    use(
      program,
      chooseAmong(program, type, ({ name }) => [layouts.get(name)!]),
    );
    program.dispose();
  };
  for (const [height, width] of sizes) {
    for (const count of counts) {
      within((program, choose) => {
        const shape = { ...paddedSize({ height, width }), count };
        for (const { layer, plan } of planMaps(program, spec, shape, type, choose)) {
          check(layer.kind === 'pool' ? 'pool' : layer.name, plan, `${count}x${height}x${width}`);
        }
      });
    }
  }
  for (const count of positions) {
    within((program, choose) => {
      for (const { layer, plan } of planPositions(program, spec, paddedRows(count), type, choose)) {
        check(layer.name, plan, `${count} positions`);
        if (!sameDesc(program, plan.desc('weights'), layouts.get(layer.name)!)) copied.add(layer.name);
      }
    });
  }
  scope.dispose();
  return { plans, slow, copied: [...copied] };
}
