/** The program of a training worker: a child process with one copy of the network. It answers the calls of `training-step.ts`. */
import { answerCalls } from '../../processes/answer-calls.ts';
import { sharedDescriptor, type WorkerCalls } from './protocol.ts';
import { createWorkerStep, type WorkerStep } from './worker-step.ts';

let step: WorkerStep | undefined;

answerCalls<WorkerCalls>(async (request) => {
  if (request.call === 'create') {
    step = await createWorkerStep(sharedDescriptor, request.argument);
    return { name: step.name, gradientLength: step.gradientLength };
  }
  switch (request.call) {
    case 'accumulate':
      return step!.accumulate(request.argument);
    case 'publish':
      return step!.publish() as undefined;
    case 'sum':
      return step!.sum() as undefined;
    case 'update':
      return step!.update(request.argument) as Promise<undefined>;
    case 'read':
      return step!.read(request.argument) as Promise<undefined>;
  }
});
