import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  answeredCodes,
  codesOf,
  type ErrorKind,
  errorEntry,
  errorKinds,
  isErrorOf,
  isVerydeepError,
  VerydeepError,
} from '../src/errors.ts';

const text = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

describe('the table of errors', () => {
  it('has the codes of each kind by their status', () => {
    for (const kind of Object.keys(errorKinds) as ErrorKind[]) {
      const statuses = codesOf(kind).map((code) => errorEntry(code).status);
      expect(statuses).toEqual([...statuses].sort((a, b) => a - b));
    }
    expect(errorEntry('QUEUE_FULL')).toMatchObject({ status: 429, of: 'service', retry: true });
  });

  it('has public words for all that the service answers with 500 or more', () => {
    for (const code of answeredCodes) {
      const { status, words } = errorEntry(code);
      expect([code, words === undefined]).toEqual([code, status < 500]);
    }
  });
});

describe('docs/errors.md', () => {
  it('names no code that openapi.yaml does not', () => {
    const contract = text('openapi.yaml');
    expect(codesOf().filter((code) => !new RegExp(`\\b${code}\\b`).test(contract))).toEqual([]);
  });

  it('names every code with its status, and no other code', () => {
    const rows = [...text('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)];
    const documented = rows.map(([, code, status]) => `${code} ${status}`);
    expect(documented.sort()).toEqual(
      codesOf()
        .map((code) => `${code} ${errorEntry(code).status}`)
        .sort(),
    );
  });
});

describe('guards', () => {
  const lost = new VerydeepError('ENGINE_LOST', 'gone');

  it('know a coded error, any or one of some codes', () => {
    expect(isVerydeepError(lost)).toBe(true);
    expect(isVerydeepError(lost, 'ENGINE_FAILED', 'ENGINE_LOST')).toBe(true);
    expect(isVerydeepError(lost, 'ENGINE_FAILED')).toBe(false);
    expect(isVerydeepError(Object.assign(new Error('gone'), { code: 'ENGINE_LOST' }))).toBe(false);
    expect(isVerydeepError('ENGINE_LOST', 'ENGINE_LOST')).toBe(false);
  });

  it('know what it is about', () => {
    expect(isErrorOf(lost, 'image', 'service')).toBe(true);
    expect(isErrorOf(lost, 'image')).toBe(false);
    expect(isErrorOf(new Error('gone'), 'image', 'service')).toBe(false);
  });
});
