import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';
import { VerydeepError } from '../../src/errors.ts';
import { answerErrors } from '../../src/server/errors.ts';
import { type Answerer, createAnswerer } from '../../src/server/images/answerer.ts';
import { readImageTask } from '../../src/server/images/options.ts';
import type { Metrics } from '../../src/server/operations/metrics.ts';
import type { Serving } from '../../src/serving/registry.ts';
import { startApp } from './app-under-test.ts';

/** All that a front end for another protocol needs: CONTRIBUTING.md says so, and this is it. */
async function toyProtocol(
  app: FastifyInstance,
  { serving, answerer, metrics }: { serving: Serving; answerer: Answerer; metrics: Metrics },
): Promise<void> {
  answerErrors(app, {
    onRejected: metrics.rejected,
    envelope: ({ message }) => ({ error: message }),
  });
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    app.getDefaultJsonParser('error', 'error'),
  );
  app.post<{ Params: { model: string; version: string }; Body: { b64: string; top?: number } }>(
    '/models/:model/versions/:version',
    async ({ params, body, socket }) => {
      const deployment = serving.find({ ensemble: params.model, version: params.version });
      if (!deployment) throw new VerydeepError('NOT_FOUND', `no ${params.model}, version ${params.version}`);
      const task = readImageTask('classify', { top: body.top }, 1000);
      const { result } = await answerer(deployment, Buffer.from(body.b64, 'base64'), task, {
        client: `${socket.remotePort}`,
        signal: new AbortController().signal,
      });
      return { outputs: result.classes.map(({ label }) => label), version: deployment.ensemble.version };
    },
  );
}

describe('a front end for another protocol', () => {
  it('answers by any version that is served, in its own shapes, and shares the metrics', async () => {
    const { app, registry, metrics } = await startApp({ versions: ['3', '4'] });
    await app.register(toyProtocol, {
      prefix: '/toy',
      serving: registry,
      answerer: createAnswerer(metrics),
      metrics,
    });
    const ask = (path: string, body: object) =>
      app.inject({ method: 'POST', url: `/toy/models/${path}`, payload: body });
    const image = { b64: Buffer.from('good').toString('base64'), top: 2 };

    expect((await ask('tiny/versions/4', image)).json()).toEqual({ outputs: ['cat', 'dog'], version: '4' });
    expect((await ask('tiny/versions/stable', image)).json()).toMatchObject({ version: '3' });

    const missing = await ask('tiny/versions/5', image);
    expect([missing.statusCode, missing.json()]).toEqual([404, { error: 'no tiny, version 5' }]);
    const wrong = await ask('tiny/versions/4', { ...image, top: 0 });
    expect([wrong.statusCode, wrong.json()]).toEqual([
      400,
      { error: expect.stringContaining('top: expected') },
    ]);

    const { body } = await app.inject('/metrics');
    for (const line of [
      'verydeep_stage_duration_seconds_count{stage="total",ensemble="tiny",version="4"} 1',
      'verydeep_rejects_total{reason="NOT_FOUND"} 1',
      'verydeep_rejects_total{reason="INVALID_OPTION"} 1',
    ]) {
      expect(body).toContain(line);
    }
  });
});
