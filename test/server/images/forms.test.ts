import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { expect, it } from 'vitest';
import { startApp } from '../app-under-test.ts';
import { openClient } from '../sockets.ts';

/** Forms as clients and attackers write them: any headers, sizes around all buffers, nested, unfinished. */
const file = 'Content-Disposition: form-data; name="a"; filename="b.jpg"\r\n';
const field = 'Content-Disposition: form-data; name="field"\r\n';
const headers = fc.constantFrom(
  '',
  file,
  'Content-Disposition: form-data; name="a"; filename="b.jpg"\r\nContent-Type: image/jpeg\r\n',
  field,
  'Content-Disposition: attachment\r\n',
  'Content-Type: multipart/mixed; boundary=Y\r\n',
  'X: y\r\n',
  'no header at all\r\n',
);
const size = fc.constantFrom(0, 1, 999, 1000, 1001, 16_383, 20_000, 22_542, 65_535, 65_536, 65_537, 100_000);
const part = fc.record({ headers, size, separator: fc.constantFrom('\r\n', '', '\n') });
const end = fc.constantFrom('--X--\r\n', '--X--', '--X', '', '--Y--\r\n', '--X\r\n\r\n');

/** The parser stops in a chunk that begins a file, or that holds the beginning of one: nobody else would end it. */
const stopped: [{ headers: string; size: number; separator: string }[], string, boolean, number][] = [
  [
    [
      { headers: field, size: 65_535, separator: '\r\n' },
      { headers: file, size: 65_536, separator: '\r\n' },
    ],
    '--X',
    true,
    1000,
  ],
  [
    [
      { headers: file, size: 0, separator: '' },
      { headers: '', size: 65_536, separator: '\r\n' },
      { headers: 'X: y\r\n', size: 100_000, separator: '\r\n' },
    ],
    '--Y--\r\n',
    true,
    1000,
  ],
];

it('every form is answered, whatever its shape, alone and in pieces', async () => {
  const sizes = [1000, 1_000_000];
  const apps = new Map<number, FastifyInstance>();
  for (const maxFileBytes of sizes)
    apps.set(maxFileBytes, (await startApp({ limits: { maxFileBytes } })).app);
  const limit = fc.constantFrom(...sizes);
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 4 }),
      end,
      fc.boolean(),
      limit,
      async (parts, last, cut, maxFileBytes) => {
        const body = Buffer.concat([
          ...parts.flatMap((each) => [
            Buffer.from(`--X\r\n${each.headers}${each.separator}`),
            Buffer.alloc(each.size, 'a'),
            Buffer.from('\r\n'),
          ]),
          Buffer.from(last),
        ]);
        const client = await openClient(apps.get(maxFileBytes)!);
        const head = `POST /classify HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=X\r\nContent-Length: ${body.length}\r\n\r\n`;
        client.write(head);
        if (cut) client.write(body.subarray(0, body.length / 2));
        client.write(cut ? body.subarray(body.length / 2) : body);
        const { status, body: answer } = await client.response();
        expect([200, 400, 413]).toContain(status);
        if (status !== 200) expect(JSON.parse(answer)).toMatchObject({ code: expect.any(String) });
      },
    ),
    {
      numRuns: 150,
      examples: stopped,
    },
  );
});
