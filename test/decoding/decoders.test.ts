import { spawnSync } from 'node:child_process';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDecoders, type Decoders } from '../../src/decoding/decoders.ts';
import { decodeAtScales } from '../../src/image/decode.ts';
import { deferred } from '../deferred.ts';
import { drawPicture, encoder, limits, withScans } from '../image/pictures.ts';

let decoders: Decoders | undefined;
afterEach(() => decoders?.dispose());

function start(changes: { processes?: number; timeoutMs?: number } = {}): Decoders {
  decoders = createDecoders({ processes: 1, limits, timeoutMs: 60_000, ...changes });
  return decoders;
}

const never = new AbortController().signal;
const request = { client: 'a', signal: never };
const photograph = (): Promise<Buffer> => encoder(drawPicture(64, 48)).jpeg().toBuffer();

/** A valid JPEG that takes seconds: as many passes over 25 million coefficients as are allowed. */
async function slowJpeg(): Promise<Buffer> {
  const side = 5000;
  const raw = { width: side, height: side, channels: 3 } as const;
  const jpeg = await encoder({ ...raw, pixels: new Uint8Array(side * side * 3) })
    .jpeg({ progressive: true })
    .toBuffer();
  return withScans(jpeg, 38);
}

/** Of this process: the decoders. */
function childProcesses(): number[] {
  const { stdout } = spawnSync('pgrep', ['-P', `${process.pid}`, '-f', 'decoder'], { encoding: 'utf8' });
  return stdout.trim().split('\n').map(Number);
}

describe('decoders', () => {
  let slow: Buffer;
  beforeAll(async () => {
    slow = await slowJpeg();
  });

  it('give what decoding in this process gives', async () => {
    const bytes = await photograph();
    const image = await start().use(bytes, request, async (open) => {
      expect(open.header).toEqual({ format: 'jpeg', width: 64, height: 48 });
      const decoded = await open.decode([32, 48]);
      expect(open.spentMs()).toBeGreaterThan(0);
      return decoded;
    });
    const own = await decodeAtScales(bytes, [32, 48], limits);
    expect(image.pictures.map(({ pixels }) => Buffer.from(pixels))).toEqual(
      own.pictures.map(({ pixels }) => Buffer.from(pixels)),
    );
  });

  it('refuse with the codes of the image, and go on', async () => {
    const pool = start();
    const refused = (bytes: Uint8Array, code: string) =>
      expect(pool.use(bytes, request, async () => undefined)).rejects.toMatchObject({ code });
    const bytes = await photograph();
    await refused(new Uint8Array(), 'NO_IMAGE');
    await refused(Buffer.from('text'), 'UNSUPPORTED_IMAGE');
    await refused(bytes.subarray(0, 100), 'CORRUPT_IMAGE');
    expect(await pool.use(bytes, request, async ({ header }) => header.width)).toBe(64);
  });

  it('end an image that takes too long', async () => {
    const slowly = start({ timeoutMs: 100 }).use(slow, request, ({ decode }) => decode([32]));
    await expect(slowly).rejects.toMatchObject({
      code: 'IMAGE_TOO_COMPLEX',
      message: expect.stringContaining('100 ms'),
    });
  });

  it('are free for the next image soon after nobody waits for a slow one', async () => {
    const pool = start();
    const leaving = new AbortController();
    const reached = deferred();
    const slowly = pool.use(slow, { client: 'a', signal: leaving.signal }, ({ decode }) => {
      const decoding = decode([32]);
      reached.resolve();
      return decoding;
    });
    const next = pool.use(await photograph(), { client: 'b', signal: never }, ({ decode }) => decode([32]));
    await reached.promise;
    leaving.abort(new Error('gone'));
    await expect(slowly).rejects.toThrow('gone');
    expect((await next).pictures).toHaveLength(1);
  });

  it('start again when a process dies, and try its image once more', async () => {
    const pool = start();
    const bytes = await photograph();
    const killed = pool.use(bytes, request, async (open) => {
      for (const pid of childProcesses()) process.kill(pid, 'SIGKILL');
      return open.decode([32]);
    });
    expect((await killed).pictures).toHaveLength(1);
  });

  it('end with the pool, in the middle of an image', async () => {
    const pool = start();
    const slowly = pool.use(slow, request, ({ decode }) => decode([32]));
    const failed = expect(slowly).rejects.toMatchObject({ code: 'NOT_READY' });
    await pool.dispose();
    await failed;
  });
});

it('tells each damaged image its own reason, however many are decoded at once', async () => {
  const picture = drawPicture(64, 48);
  const cut = (bytes: Buffer): Buffer => bytes.subarray(0, Math.floor(bytes.length / 2));
  const files = await Promise.all(
    (['jpeg', 'png', 'tiff', 'gif'] as const).map(async (format) =>
      cut(await encoder(picture).toFormat(format).toBuffer()),
    ),
  );
  const reasonOf = (bytes: Buffer): Promise<string> =>
    decodeAtScales(bytes, [32], limits).then(
      () => 'none',
      ({ message }: Error) => message,
    );
  const alone: string[] = [];
  for (const file of files) alone.push(await reasonOf(file));
  const many = await Promise.all(Array.from({ length: 24 }, (_, i) => reasonOf(files[i % 4]!)));
  expect(many).toEqual(Array.from({ length: 24 }, (_, i) => alone[i % 4]));
});
