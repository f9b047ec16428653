import fc from 'fast-check';
import { expect, it } from 'vitest';
import { startApp } from '../app-under-test.ts';
import { openClient } from '../sockets.ts';

/** Forms as clients and attackers write them: any headers, sizes around all buffers, nested, unfinished. */
const headers = fc.constantFrom(
  '',
  'Content-Disposition: form-data; name="a"; filename="b.jpg"\r\n',
  'Content-Disposition: form-data; name="a"; filename="b.jpg"\r\nContent-Type: image/jpeg\r\n',
  'Content-Disposition: form-data; name="field"\r\n',
  'Content-Disposition: attachment\r\n',
  'Content-Type: multipart/mixed; boundary=Y\r\n',
  'X: y\r\n',
  'no header at all\r\n',
);
const size = fc.constantFrom(0, 1, 999, 1000, 1001, 16_383, 20_000, 22_542, 65_535, 65_536, 65_537, 100_000);
const part = fc.record({ headers, size, separator: fc.constantFrom('\r\n', '', '\n') });
const end = fc.constantFrom('--X--\r\n', '--X--', '--X', '', '--Y--\r\n', '--X\r\n\r\n');

it('every form is answered, whatever its shape, alone and in pieces', async () => {
  const { app } = await startApp();
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 4 }), end, fc.boolean(), async (parts, last, cut) => {
      const body = Buffer.concat([
        ...parts.flatMap((each) => [
          Buffer.from(`--X\r\n${each.headers}${each.separator}`),
          Buffer.alloc(each.size, 'a'),
          Buffer.from('\r\n'),
        ]),
        Buffer.from(last),
      ]);
      const client = await openClient(app);
      const head = `POST /classify HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=X\r\nContent-Length: ${body.length}\r\n\r\n`;
      client.write(head);
      if (cut) client.write(body.subarray(0, body.length / 2));
      client.write(cut ? body.subarray(body.length / 2) : body);
      const { status, body: answer } = await client.response();
      expect([200, 400, 413]).toContain(status);
      if (status !== 200) expect(JSON.parse(answer)).toMatchObject({ code: expect.any(String) });
    }),
    { numRuns: 150 },
  );
});
