import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { AnswerBody } from '../../src/server/images/schemas.ts';
import { deferred } from '../deferred.ts';
import { multipartOf, plainDeployment, plainRun, type Run, startApp } from './app-under-test.ts';
import { messagesOf } from './stream/messages.ts';

/** Answers with its version as the width. */
const runOf =
  (version: number, opened?: Promise<void>): Run =>
  async (...call) => {
    await opened;
    const answer = await plainRun(...call);
    return { ...answer, result: { ...answer.result, width: version } };
  };

describe('while the version label of the default moves', () => {
  it('a request has all its files answered by one version, and the next one by the other', async () => {
    const opened = deferred();
    const started = deferred();
    const run: Run = (...call) => {
      started.resolve();
      return runOf(3, opened.promise)(...call);
    };
    const { app, registry } = await startApp({ run });
    const files = multipartOf(['a', 'b', 'c'].map((name) => ({ name, bytes: 'good' })));
    const before = app.inject({ method: 'POST', url: '/classify', ...files });
    await started.promise;
    registry.add(plainDeployment({ version: '4', run: runOf(4) }), ['stable']);
    const after = await app.inject({ method: 'POST', url: '/classify', ...files });
    opened.resolve();
    for (const [response, version] of [
      [await before, 3],
      [after, 4],
    ] as const) {
      const { results, model } = response.json<AnswerBody>();
      expect(model.version).toBe(`${version}`);
      expect(results).toMatchObject(Array(3).fill({ width: version }));
    }
  });

  it('a stream keeps the version of its hello', async () => {
    const { app, registry } = await startApp({ run: runOf(3) });
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    const open = async () => {
      const socket = new WebSocket(`${address.replace('http', 'ws')}/stream`);
      const { next } = messagesOf(socket);
      return { socket, next, hello: await next() };
    };
    const old = await open();
    registry.add(plainDeployment({ version: '4', run: runOf(4) }), ['stable']);
    const fresh = await open();
    for (const [{ socket, hello, next }, version] of [
      [old, 3],
      [fresh, 4],
    ] as const) {
      expect(hello).toMatchObject({ type: 'hello', model: { version: `${version}` } });
      socket.send('{"type":"image","id":"1","task":"classify","scales":[32]}');
      socket.send(Buffer.from('good'));
      expect(await next()).toMatchObject({ type: 'result', result: { width: version } });
      socket.close();
    }
  });
});
