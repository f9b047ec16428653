import { describe, expect, it } from 'vitest';
import { openapiDocument } from '../../../scripts/openapi-document.ts';
import { modelDescription } from '../../../src/server/images/schemas.ts';
import { ensemble, plainDeployment, startApp } from '../app-under-test.ts';

describe('GET /model', () => {
  it('says which classes, networks and defaults answer', async () => {
    const { app } = await startApp();
    const response = await app.inject('/model');
    expect(response.statusCode).toBe(200);
    expect(modelDescription.strict().parse(response.json())).toEqual({
      ensemble: 'tiny',
      version: '3',
      digest: ensemble.digest,
      classes: [
        { index: 0, label: 'cat' },
        { index: 1, label: 'dog' },
        { index: 2, label: 'bird' },
      ],
      networks: [
        { name: 'd', head: 'classes' },
        { name: 'e', head: 'classes' },
        { name: 'boxes', head: 'scr' },
      ],
      crop: 32,
      plans: {
        classify: { scales: [32, 48], flip: true, view: 'dense', networks: ['d', 'e'] },
        localise: { scales: [32, 48], flip: true, view: 'dense', networks: ['d', 'e', 'boxes'] },
      },
    });
  });

  it('has the plan that an answer without options has', async () => {
    const { app } = await startApp();
    const { plans } = (await app.inject('/model')).json();
    const answer = (
      await app.inject({ method: 'PUT', url: '/classify', payload: Buffer.from('abcd') })
    ).json();
    expect(plans.classify).toEqual({ ...answer.plan, networks: answer.model.networks });
  });

  it('has no plan to localise with when there is no network for boxes', async () => {
    const { app, registry } = await startApp({ versions: [] });
    registry.add(plainDeployment({ served: { ...ensemble, localisers: [] } }), ['stable']);
    expect(Object.keys((await app.inject('/model')).json().plans)).toEqual(['classify']);
  });

  it('is not there while there is no version', async () => {
    const { app } = await startApp({ versions: [] });
    expect((await app.inject('/livez')).statusCode).toBe(200);
    expect((await app.inject('/model')).json()).toMatchObject({ statusCode: 503, code: 'NOT_READY' });
  });
});

describe('the schema of an answer', () => {
  it('has detections of /localise, always, and of /classify never', async () => {
    const schemas = JSON.parse(JSON.stringify(await openapiDocument())).components.schemas;
    const answered = (task: string, result: string) => {
      expect(schemas[`${task}Answer`].properties.results.items.anyOf[0]).toEqual({
        $ref: `#/components/schemas/${result}`,
      });
      return schemas[result];
    };
    const classify = answered('Classify', 'ClassifyResult');
    expect(classify.properties).not.toHaveProperty('detections');
    expect(classify.properties).toHaveProperty('maps');
    const localise = answered('Localise', 'LocaliseResult');
    expect(localise.required).toEqual(['name', 'width', 'height', 'classes', 'detections']);
    expect(localise.properties).not.toHaveProperty('maps');
  });
});
