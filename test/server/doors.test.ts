import { describe, expect, it } from 'vitest';
import { type Doors, loopbackNames } from '../../src/server/doors.ts';
import { startApp } from './app-under-test.ts';

async function statuses(doors: Doors, headers: Record<string, string>) {
  const { app } = await startApp({ doors });
  const read = await app.inject({ url: '/livez', headers });
  const send = await app.inject({ method: 'POST', url: '/classify', headers, payload: Buffer.from('a') });
  const stream = await app.injectWS('/stream', { headers }).then(
    (socket) => {
      socket.terminate();
      return 101;
    },
    (error: Error) => Number(/\d+/.exec(error.message)?.[0]),
  );
  return {
    read: read.statusCode,
    send: send.statusCode,
    stream,
    code: send.json().code as string | undefined,
  };
}

describe('the origin of a page', () => {
  const open = { read: 200, send: 200, stream: 101, code: undefined };
  const shut = { read: 200, send: 403, stream: 403, code: 'ORIGIN_REFUSED' };

  it.each([
    ['none, as programs send', { host: 'a.example' }, open],
    ['its own', { host: 'a.example:8080', origin: 'http://a.example:8080' }, open],
    ['its own by another port', { host: 'a.example:8080', origin: 'http://a.example' }, shut],
    ['a stranger', { host: 'a.example', origin: 'https://evil.example' }, shut],
    ['a file or a sandbox', { host: 'a.example', origin: 'null' }, shut],
    ['an allowed one', { host: 'a.example', origin: 'https://friend.example' }, open],
  ] as const)('%s', async (_name, headers, expected) => {
    expect(await statuses({ origins: ['https://friend.example'] }, headers)).toEqual(expected);
  });

  it('may be any if all are allowed', async () => {
    expect(await statuses({ origins: ['*'] }, { host: 'a.example', origin: 'https://evil.example' })).toEqual(
      open,
    );
  });
});

describe('the name that a request uses', () => {
  const hosts = [...loopbackNames, 'box.local'];

  it.each(['localhost', 'LOCALHOST:8080', '127.0.0.1:8080', '[::1]:8080', 'box.local'])(
    '%s is ours',
    async (host) => {
      expect((await statuses({ hosts, origins: [] }, { host })).read).toBe(200);
    },
  );

  it.each(['evil.example', '127.0.0.1.evil.example:8080', 'localhost.evil.example'])(
    '%s is refused',
    async (host) => {
      const { read, send, stream, code } = await statuses({ hosts, origins: [] }, { host });
      expect([read, send, stream, code]).toEqual([421, 421, 421, 'UNKNOWN_HOST']);
    },
  );
});
