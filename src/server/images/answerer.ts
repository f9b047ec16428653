import type { Answer } from '../../inference/answer.ts';
import type { RequestContext } from '../../inference/inference.ts';
import type { Deployment } from '../../serving/deployment.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { ImageTask } from './options.ts';

/** Answers one image, whichever way it came; its time counts from now, when its bytes are all there. */
export type Answerer = (
  deployment: Deployment,
  bytes: Uint8Array,
  task: ImageTask,
  context: Omit<RequestContext, 'deadline'>,
) => Promise<Answer>;

/** Puts deadlines on inference, and times into the metrics. Throws the errors of `Deployment`. */
export function createAnswerer(metrics: Metrics): Answerer {
  return async (deployment, bytes, { options, timeoutMs }, caller) => {
    const startedMs = performance.now();
    const context = { ...caller, deadline: startedMs + timeoutMs };
    const answer = await deployment.run(bytes, options, context);
    metrics.answered(deployment.ensemble, (performance.now() - startedMs) / 1000);
    return answer;
  };
}
