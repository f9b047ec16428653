import { planDense } from '../../../src/engine/onednn/dense/plan.ts';
import { chooseAmong, layoutsFor } from '../../../src/engine/onednn/dense/weight-layouts.ts';
import { loadOnednn } from '../../../src/engine/onednn/library/library.ts';
import { dataTypeFor } from '../../../src/engine/onednn/precision.ts';
import { createScope, sameDesc } from '../../../src/engine/onednn/primitives/scope.ts';
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

const counts = [1, 2, 3, 8, 32];

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
  for (const [height, width] of sizes) {
    for (const count of counts) {
      const program = createScope(onednn);
      const choose = chooseAmong(program, type, ({ name }) => [layouts.get(name)!]);
      const { layers } = planDense(program, spec, { count, height, width }, type, choose);
      for (const { layer, plan } of layers) {
        const name = layer.kind === 'pool' ? 'pool' : layer.name;
        plans += 1;
        if (slownessOf(plan) > 0) slow.push(`${name} ${plan.implementation} ${count}x${height}x${width}`);
        if (layer.kind !== 'fullyConnected') continue;
        if (!sameDesc(program, plan.desc('weights'), layouts.get(name)!)) copied.add(name);
      }
      program.dispose();
    }
  }
  scope.dispose();
  return { plans, slow, copied: [...copied] };
}
