import type { ForwardSpec } from '../../../network/architecture.ts';
import type { DataType } from '../library/constants.ts';
import type { Onednn } from '../library/library.ts';
import { createStep, type Step } from '../primitives/primitives.ts';
import { arrayOver, buildIn, type Memory, type Numbers } from '../primitives/scope.ts';
import { type BlockScope, createBlockScope, type SharedBlock } from '../primitives/shared-block.ts';
import { createWorkspace } from '../primitives/workspace.ts';
import { clearBorder } from './border.ts';
import { planMaps } from './plan.ts';
import { type MapShape, mapSizesOf, type Size } from './shape.ts';
import type { DenseWeights } from './weights.ts';

/** The convolutions and pools of one network over pictures of one padded size. */
export interface MapProgram {
  /** Bytes of the shared block that a run uses: pixels, maps and what primitives work in. */
  readonly blockBytes: number;
  /**
   * Runs pictures of their own size inside the padded one. `write` puts prepared pixels `[count, height, width, 3]` into its
   * array, `read` gets the last maps `[count, h, w, channels]` and their size; both arrays are of
   * padded size, and valid inside the calls only.
   */
  run(
    picture: Size,
    write: (input: Numbers) => void,
    read: (maps: Numbers, size: Size, padded: MapShape) => void,
  ): void;
  dispose(): void;
}

export function createMapProgram(
  onednn: Onednn,
  block: SharedBlock,
  spec: ForwardSpec,
  weights: DenseWeights,
  shape: MapShape,
  type: DataType,
): MapProgram {
  return buildIn(createBlockScope(onednn), (scope) => build(scope, block, spec, weights, shape, type));
}

// --- helpers ---

/** Maps of one layer, or the pixels, and the step that reads them. */
interface Stage {
  readonly memory: Memory;
  readonly channels: number;
  readonly shape: MapShape;
  /** None for the last maps. */
  readonly step?: Step;
  /** Read by a convolution wider than one pixel, which sees what borders on the picture. */
  readonly hasBorder: boolean;
}

function build(
  scope: BlockScope,
  block: SharedBlock,
  spec: ForwardSpec,
  weights: DenseWeights,
  shape: MapShape,
  type: DataType,
): MapProgram {
  const planned = planMaps(scope, spec, shape, type, weights.chooserFor(scope));
  const workspace = createWorkspace(scope);
  const stages: Stage[] = [];
  let current = { memory: workspace.take(planned[0]!.plan.desc('source')), channels: 3, shape };
  for (const { layer, plan, size } of planned) {
    const destination = workspace.take(plan.desc('destination'));
    const isPool = layer.kind === 'pool';
    const parameters = !isPool && { weights: weights.weightsFor(layer, plan), bias: weights.bias(layer) };
    const step = createStep(isPool ? 'pool' : layer.name, plan, {
      source: current.memory,
      ...parameters,
      destination,
    });
    stages.push({ ...current, step, hasBorder: !isPool && layer.kernel > 1 });
    workspace.give(current.memory);
    const channels = isPool ? layer.channels : layer.outputs;
    current = { memory: destination, channels, shape: { ...size, count: shape.count } };
  }
  stages.push({ ...current, hasBorder: false });

  const layers = planned.map(({ layer }) => layer);
  let views: readonly Numbers[] = [];
  return {
    blockBytes: scope.blockBytes,
    run(picture, write, read) {
      if (scope.bind(block.reserve(scope.blockBytes))) {
        views = stages.map(({ memory }) => scope.view(memory, (buffer) => arrayOver(type, buffer)));
      }
      const sizes = mapSizesOf(layers, picture);
      write(views[0]!);
      stages.forEach(({ channels, shape: padded, step, hasBorder }, i) => {
        if (hasBorder) clearBorder(views[i]!, channels, padded, sizes[i]!);
        step?.run();
      });
      scope.onednn.wait();
      read(views.at(-1)!, sizes.at(-1)!, stages.at(-1)!.shape);
    },
    dispose: scope.dispose,
  };
}
