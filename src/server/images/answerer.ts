import { VerydeepError } from '../../errors.ts';
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

/** Puts deadlines on inference, and times into the metrics. Throws the errors of `Deployment`, and NO_IMAGE. */
export function createAnswerer(metrics: Metrics): Answerer {
  return async (deployment, bytes, { options, timeoutMs }, caller) => {
    const startedMs = performance.now();
    if (bytes.byteLength === 0) throw noImage('received 0 bytes');
    const context = { ...caller, deadline: startedMs + timeoutMs };
    const answer = await deployment.run(bytes, options, context);
    metrics.answered(deployment.ensemble, (performance.now() - startedMs) / 1000);
    return answer;
  };
}

/** Says how to send an image. */
export function noImage(received: string): VerydeepError {
  return new VerydeepError(
    'NO_IMAGE',
    `expected an image as the body, or files as multipart/form-data; ${received}. For instance: curl -T photo.jpg`,
  );
}
