import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VerydeepError } from '../../../src/errors.ts';
import { presentModel } from '../../../src/server/images/present.ts';
import { serverMessage } from '../../../src/server/stream/messages.ts';
import {
  createStreamSession,
  type StreamAction,
  type StreamSession,
} from '../../../src/server/stream/session.ts';
import { ensemble } from '../app-under-test.ts';

const model = presentModel(ensemble);
const open = (credits = 2): StreamSession => createStreamSession({ credits, model, maxTimeoutMs: 5000 });
const header = (id: string, more: object = {}): string =>
  JSON.stringify({ type: 'image', id, task: 'classify', ...more });
const bytes = Buffer.from('abc');
const result = { name: 'image', width: 1, height: 1, classes: [] };
const final = { result, final: true, scalesDone: [32] };
const credit: StreamAction = { type: 'send', message: { type: 'credit', credits: 1 } };
const codes = (actions: StreamAction[]): number[] =>
  actions.flatMap((action) => (action.type === 'close' ? [action.code] : []));

describe('a stream', () => {
  it('greets with its credits and the model', () => {
    expect(open().open()).toEqual([
      { type: 'send', message: { type: 'hello', protocol: 1, credits: 2, model } },
    ]);
  });

  it('runs an image when its bytes are there, and gives the credit back after its last answer', () => {
    const session = open();
    expect(session.text(header('7', { top: 3, scales: [32, 64], timeoutMs: 100 }))).toEqual([]);
    const options = {
      task: 'classify',
      top: 3,
      scales: [32, 64],
      flip: true,
      view: 'dense',
      maps: false,
      boxes: 'best',
    };
    expect(session.binary(bytes)).toEqual([
      { type: 'run', id: '7', task: { options, timeoutMs: 100 }, bytes },
    ]);
    const partial = { result, final: false, scalesDone: [32] };
    expect(session.outcome('7', partial)).toEqual([
      { type: 'send', message: { type: 'result', id: '7', ...partial } },
    ]);
    expect(session.outcome('7', final)).toEqual([
      { type: 'send', message: { type: 'result', id: '7', ...final } },
      credit,
    ]);
    expect(session.outcome('7', final)).toEqual([]);
  });

  it("takes the query's form of options as well", () => {
    const session = open();
    session.text(header('7', { scales: '32,64', top: '2' }));
    expect(session.binary(bytes)).toMatchObject([{ task: { options: { top: 2, scales: [32, 64] } } }]);
  });

  it('answers an image with its error', () => {
    const session = open();
    session.text(header('7'));
    session.binary(bytes);
    expect(session.outcome('7', { error: new VerydeepError('CORRUPT_IMAGE', 'half a picture') })).toEqual([
      { type: 'send', message: { type: 'error', id: '7', code: 'CORRUPT_IMAGE', message: 'half a picture' } },
      credit,
    ]);
  });

  it.each([[{ colour: 'red' }], [{ top: 'many' }], [{ timeoutMs: 5001 }]])(
    'answers wrong options %j after the bytes, and goes on',
    (options) => {
      const session = open();
      expect(session.text(header('7', options))).toEqual([]);
      expect(session.binary(bytes)).toMatchObject([
        { message: { type: 'error', code: 'INVALID_OPTION' } },
        credit,
      ]);
      expect(codes(session.text(header('8')))).toEqual([]);
    },
  );

  it.each([
    ['text that is no JSON', 1007, (s: StreamSession) => s.text('{')],
    ['a message of another type', 1002, (s: StreamSession) => s.text('{"type":"hello"}')],
    ['a number as id', 1002, (s: StreamSession) => s.text('{"type":"image","id":7,"task":"classify"}')],
    ['an unknown task', 1002, (s: StreamSession) => s.text('{"type":"image","id":"7","task":"dream"}')],
    [
      'a header as long as a book',
      1009,
      (s: StreamSession) => s.text(header('7', { scales: ','.repeat(16_400) })),
    ],
    ['bytes without a header', 1002, (s: StreamSession) => s.binary(bytes)],
    [
      'a header in place of bytes',
      1002,
      (s: StreamSession) => [...s.text(header('1')), ...s.text(header('2'))],
    ],
    ['an id that is in use', 1002, (s: StreamSession) => [...send(s, '1'), ...s.text(header('1'))]],
    [
      'an image past the credits',
      1008,
      (s: StreamSession) => [...send(s, '1'), ...send(s, '2'), ...send(s, '3')],
    ],
  ])('closes on %s with %i', (_case, code, provoke) => {
    const session = open();
    expect(codes(provoke(session))).toEqual([code]);
    expect(session.outcome('1', final)).toEqual([]);
    expect(session.text(header('9'))).toEqual([]);
  });

  it('closes with 1001 when all is answered before it stops', () => {
    const idle = open();
    expect(codes(idle.drain())).toEqual([1001]);

    const busy = open();
    send(busy, '1');
    busy.text(header('2'));
    expect(busy.drain()).toEqual([]);
    expect(busy.binary(bytes)).toEqual([]);
    expect(codes(busy.outcome('1', final))).toEqual([1001]);
  });

  it('keeps its promises whatever happens', () => {
    const id = fc.constantFrom('1', '2', '3', '4');
    const event = fc.oneof(
      fc.record({ type: fc.constant('text' as const), id }),
      fc.record({ type: fc.constant('binary' as const) }),
      fc.record({ type: fc.constant('final' as const), id }),
      fc.record({ type: fc.constant('error' as const), id }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const session = open(3);
        const actions: StreamAction[] = [];
        for (const event of events) {
          if (event.type === 'text') actions.push(...session.text(header(event.id)));
          else if (event.type === 'binary') actions.push(...session.binary(bytes));
          else if (event.type === 'final') actions.push(...session.outcome(event.id, final));
          else actions.push(...session.outcome(event.id, { error: new Error('a bug') }));
        }
        const sent = actions.flatMap((action) => (action.type === 'send' ? [action.message] : []));
        const runs = actions.filter(({ type }) => type === 'run');
        const answers = sent.filter(({ type }) => type === 'result' || type === 'error');
        const credits = sent.filter(({ type }) => type === 'credit');
        expect(sent.every((message) => serverMessage.safeParse(message).success)).toBe(true);
        expect(credits.length).toBe(answers.length);
        expect(runs.length - credits.length).toBeLessThanOrEqual(3);
        expect(codes(actions).length).toBeLessThanOrEqual(1);
        const closeAt = actions.findIndex(({ type }) => type === 'close');
        expect(closeAt === -1 || closeAt === actions.length - 1).toBe(true);
      }),
    );
  });
});

function send(session: StreamSession, id: string): StreamAction[] {
  return [...session.text(header(id)), ...session.binary(bytes)];
}
