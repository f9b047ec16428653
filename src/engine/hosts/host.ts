/**
 * The program of an engine host: a child process with one engine, so that a forward pass blocks no server and a crash
 * in native code takes nobody along. It answers the calls of `remote.ts`.
 */

import { answerCalls } from '../../processes/answer-calls.ts';
import type { Engine } from '../engine.ts';
import { engines } from '../engines.ts';
import type { HostCalls } from './protocol.ts';

let engine: Engine | undefined;

answerCalls<HostCalls>(async (request) => {
  if (request.call === 'create') {
    engine = await engines.createEngine(request.argument);
    return engine.capabilities;
  }
  switch (request.call) {
    case 'load':
      return engine!.load(request.argument) as Promise<undefined>;
    case 'run':
      return engine!.run(request.argument);
    case 'unload':
      return engine!.unload(request.argument) as Promise<undefined>;
  }
});
