import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { multipartOf, startApp } from '../app-under-test.ts';

async function refusal(query: string, task = 'classify'): Promise<string> {
  const { app } = await startApp();
  const response = await app.inject({ method: 'PUT', url: `/${task}${query}`, payload: Buffer.from('abc') });
  expect(response.json()).toMatchObject({ statusCode: 400, code: 'INVALID_OPTION', error: 'Bad Request' });
  return response.json().message as string;
}

describe('options', () => {
  it.each([
    ['?top=many', 'top: expected an integer from 1 to 1000; received "many"'],
    ['?top=0', 'top: expected an integer from 1 to 1000; received 0'],
    ['?top=', 'top: expected an integer from 1 to 1000; received ""'],
    ['?top=1.5', 'received "1.5"'],
    ['?top=1&top=2', 'received ["1","2"]'],
    ['?flip=maybe', 'flip: expected true or false; received "maybe"'],
    ['?view=sideways', 'view: expected dense, crops, both; received "sideways"'],
    ['?scales=32,x', 'scales.1: expected an integer from 1 to 10000; received "x"'],
    ['?scales=', 'scales.0: expected an integer'],
    ['?scales=1,2,3,4,5,6,7,8,9', 'scales: expected a list of 1 to 8 values'],
    ['?networks=', 'networks.0: expected text of 1 to 100 characters; received ""'],
    ['?timeoutMs=5001', 'timeoutMs: expected an integer from 1 to 5000; received 5001'],
    ['?boxes=all', 'unknown option "boxes"; expected some of top,'],
    ['?colour=red&size=1', 'unknown option "colour", "size"'],
    ['?__proto__=1', 'unknown option'],
  ])('%s is refused: %s', async (query, message) => {
    expect(await refusal(query)).toContain(message);
  });

  it.each([
    ['?maps=true', 'unknown option "maps"'],
    ['?top=21', 'top: expected an integer from 1 to 20; received 21'],
    ['?view=crops', 'view: expected dense; received "crops"'],
  ])('%s of one task is not one of the other: %s', async (query, message) => {
    expect(await refusal(query, 'localise')).toContain(message);
  });

  it('and bodies, however odd, never give an internal error', async () => {
    const { app } = await startApp();
    const name = fc.oneof(
      fc.constantFrom('top', 'scales', 'flip', 'view', 'networks', 'maps', 'timeoutMs'),
      fc.string(),
    );
    const query = fc.array(fc.tuple(name, fc.string()), { maxLength: 4 });
    const type = fc.constantFrom(
      'image/png',
      'text/plain',
      'application/json',
      'multipart/form-data; boundary=a-boundary',
      '',
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 1200 }).map((bytes) => Buffer.from(bytes)),
      fc
        .array(fc.record({ name: fc.stringMatching(/^[a-z]*$/), bytes: fc.string() }), { maxLength: 6 })
        .map((parts) => Buffer.from(multipartOf(parts).payload)),
    );
    await fc.assert(
      fc.asyncProperty(query, type, body, async (query, type, payload) => {
        const response = await app.inject({
          method: 'POST',
          url: `/classify?${new URLSearchParams(query)}`,
          payload,
          headers: type ? { 'content-type': type } : {},
        });
        expect(response.statusCode).toBeLessThan(500);
        if (response.statusCode >= 400) {
          expect(response.json()).toEqual({
            statusCode: response.statusCode,
            code: expect.any(String),
            error: expect.any(String),
            message: expect.any(String),
          });
        }
      }),
      { numRuns: 200 },
    );
  });
});
