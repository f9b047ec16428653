import { multiply, reluBackward, reorder } from '../primitives/elementwise.ts';
import { poolBackward } from '../primitives/pooling.ts';
import { createStep, type Step } from '../primitives/primitives.ts';
import { type Memory, type MemoryDesc, type Scope, sameDesc } from '../primitives/scope.ts';
import type { Workspace } from '../primitives/workspace.ts';
import type { Stage } from './forward-pass.ts';
import type { Parameters } from './parameters.ts';

/**
 * The backward pass: from the gradient of the last layer's answers to the gradients of all trainable weights.
 *
 * ReLU before a max-pool is masked after it: the gradient reaches only the maximum, so masking the pooled gradient by
 * the pooled output is the same and a quarter of the work.
 */
export function createBackwardPass(
  scope: Scope,
  stages: readonly Stage[],
  parameters: Parameters,
  gradientOfAnswers: Memory,
  workspace: Workspace,
): Step[] {
  const steps: Step[] = [];
  let gradient = gradientOfAnswers;
  let masked = false;

  /** `memory` as wanted, in memory of its own where that is another type or layout. */
  const reordered = (label: string, memory: Memory, wanted: MemoryDesc): Memory => {
    if (sameDesc(scope, memory.desc, wanted)) return memory;
    const result = workspace.take(wanted);
    steps.push(reorder(scope, `reorder ${label}`, memory, result));
    return result;
  };
  /** The same for the gradient, whose old form nobody needs any more. */
  const bringTo = (label: string, wanted: MemoryDesc): void => {
    const result = reordered(label, gradient, wanted);
    if (result !== gradient) workspace.give(gradient);
    gradient = result;
  };

  for (const stage of stages.toReversed()) {
    const { input, output } = stage;
    if (stage.kind === 'pool') {
      bringTo('pool', output.desc);
      steps.push(reluBackward(scope, 'relu', output, gradient));
      const below = workspace.take(input.desc);
      const plan = poolBackward(scope, input.desc, output.desc, stage.plan);
      steps.push(
        createStep('pool backward', plan, {
          destinationGradient: gradient,
          workspace: stage.workspace,
          sourceGradient: below,
        }),
      );
      workspace.give(gradient);
      gradient = below;
      masked = true;
      continue;
    }
    const { layer, plan, dropout, maps } = stage;
    const { backwardWeights, backwardData } = plan;
    if (!backwardWeights) break; // frozen, and so is everything before
    const relu = layer.kind === 'convolution' || layer.hidden;
    if (relu && !masked) {
      bringTo(layer.name, output.desc);
      steps.push(reluBackward(scope, `relu ${layer.name}`, output, gradient));
      if (dropout) steps.push(multiply(scope, `dropout ${layer.name}`, gradient, dropout));
    }
    masked = false;

    bringTo(layer.name, backwardWeights.desc('destinationGradient'));
    const source = reordered(`input of ${layer.name}`, input, backwardWeights.desc('source'));
    const { gradient: target, backward } = parameters.of(layer);
    steps.push(
      createStep(`weight gradient ${layer.name}`, backwardWeights, {
        source,
        destinationGradient: gradient,
        weightsGradient: target!.weights,
        biasGradient: target!.bias,
      }),
    );
    if (source !== input) workspace.give(source);
    if (!backwardData) break; // nothing before it is trained

    bringTo(layer.name, backwardData.desc('destinationGradient'));
    const below = workspace.take(backwardData.desc('sourceGradient'));
    steps.push(
      createStep(`input gradient ${layer.name}`, backwardData, {
        destinationGradient: gradient,
        weights: backward!,
        sourceGradient: below,
      }),
    );
    workspace.give(gradient);
    gradient = maps ? workspace.reshape(below, maps) : below;
  }
  return steps;
}
