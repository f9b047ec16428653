import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isVerydeepError } from '../../src/errors.ts';
import { readSettings, settingsTable } from '../../src/service/settings.ts';

function refusal(environment: Record<string, string>): string {
  try {
    readSettings(environment);
  } catch (error) {
    if (isVerydeepError(error, 'INVALID_SETTINGS')) return error.message;
    throw error;
  }
  return '';
}

describe('settings', () => {
  it('have defaults that do not contradict one another', () => {
    expect(readSettings({})).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      ensemble: 'demo',
      engine: 'auto',
    });
    expect(readSettings({}).weightsDir).toBeUndefined();
  });

  it('are read from the environment; an empty one is not set', () => {
    const settings = readSettings({
      PORT: '0',
      MAX_FILE_BYTES: '1000',
      DEVICES: 'cuda:0,cuda:1',
      HOST: '',
      PATH: '/bin',
    });
    expect(settings).toMatchObject({
      port: 0,
      maxFileBytes: 1000,
      devices: 'cuda:0,cuda:1',
      host: '127.0.0.1',
    });
  });

  it.each([
    [{ PORT: '65536' }, 'PORT: expected an integer from 0 to 65535; received 65536'],
    [{ PORT: '0x10' }, 'received "0x10"'],
    [{ MAX_FILE_BYTES: '1e6' }, 'MAX_FILE_BYTES: expected an integer'],
    [{ THREADS: '-1' }, 'THREADS: expected an integer from 0'],
    [
      { LOG_LEVEL: 'loud' },
      'LOG_LEVEL: expected fatal, error, warn, info, debug, trace, silent; received "loud"',
    ],
    [{ ENGINE: 'tpu' }, 'ENGINE: expected auto, onednn, onnx, reference'],
    [{ DEVICES: 'gpu' }, 'DEVICES: expected a list of cpu, cuda:N'],
    [{ ENSEMBLE_VERSION: 'newest' }, 'ENSEMBLE_VERSION: expected a number, stable or latest'],
    [
      { BATCH_DELAY_MS: '100', TIMEOUT_MS: '100' },
      'BATCH_DELAY_MS: expected less than TIMEOUT_MS (100); received 100',
    ],
    [{ TIMEOUT_MS: '60000' }, 'SHUTDOWN_TIMEOUT_MS: expected at least'],
    [{ MAX_BATCH_GFLOPS: '9000' }, 'MAX_BATCH_GFLOPS: expected at most MAX_QUEUE_GFLOPS'],
    [
      { PRECISION: 'bf16', ENGINE: 'onnx' },
      'PRECISION: expected fp32 with engine onnx on cpu; received bf16',
    ],
    [{ DEVICES: 'cuda:0', ENGINE: 'onednn' }, 'DEVICES: expected cpu with engine onednn; received cuda:0'],
    [{ DEVICES: 'cuda:0', PRECISION: 'bf16' }, 'PRECISION: expected fp32 with engine auto on cuda:0'],
    [
      { ONEDNN_LIBRARY: '/lib/a.so', ENGINE: 'onnx' },
      'ONEDNN_LIBRARY: expected to be used, with engine auto or onednn; received engine onnx',
    ],
    [{ DATABASE_URL: 'mysql://a/b' }, 'DATABASE_URL: expected a URL that begins with postgres://'],
    [{ DATABASE_URL: 'postgres://a:b@:x/' }, 'DATABASE_URL: expected a URL'],
  ])('%j are refused with the reason', (environment, reason) => {
    expect(refusal(environment)).toContain(reason);
  });

  it('have a token that is long enough, and is not told', () => {
    expect(readSettings({ ADMIN_TOKEN: 'a-token-of-many-letters' }).adminToken).toBe(
      'a-token-of-many-letters',
    );
    expect(refusal({ ADMIN_TOKEN: 'secret word' })).toMatch(/ADMIN_TOKEN: expected 16 to 256.* received 11 /);
    expect(refusal({ ADMIN_TOKEN: 'a secret of many words' })).not.toContain('secret');
  });

  it('never tell the password of the database', () => {
    expect(refusal({ DATABASE_URL: 'mysql://user:secret@host/name' })).not.toContain('secret');
  });

  it('are refused with all reasons at once', () => {
    const message = refusal({ PORT: 'x', ENGINE: 'y' });
    expect(message).toContain('PORT');
    expect(message).toContain('ENGINE');
  });

  it('of any text are taken or refused, never worse', () => {
    const names = [...settingsTable().matchAll(/`([A-Z_]+)` \|/g)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(20);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), fc.string()), (environment) => {
        refusal(environment);
      }),
    );
  });
});
