/** The program of a training worker: a child process with one replica of the network. It answers the calls of `training-step.ts`. */
import { answerCalls } from '../../processes/answer-calls.ts';
import { sharedDescriptor, type WorkerCalls } from './protocol.ts';
import { createReplica, type Replica } from './replica.ts';

let replica: Replica | undefined;

answerCalls<WorkerCalls>(async (request) => {
  if (request.call === 'create') {
    replica = await createReplica(sharedDescriptor, request.argument);
    return { name: replica.name, gradientLength: replica.gradientLength };
  }
  switch (request.call) {
    case 'accumulate':
      return replica!.accumulate(request.argument);
    case 'publish':
      return replica!.publish() as undefined;
    case 'sum':
      return replica!.sum() as undefined;
    case 'update':
      return replica!.update(request.argument) as Promise<undefined>;
    case 'read':
      return replica!.read(request.argument) as Promise<undefined>;
  }
});
