import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const source = fileURLToPath(new URL('../src/', import.meta.url));
const divider = '// --- helpers ---';

/** The order of a file's exports (E), dividers (-), private functions (f) and constants that are functions (c): `cEE-ff`. */
function orderOf(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      if (line === divider) return '-';
      if (/^export /.test(line)) return 'E';
      if (/^(async )?function\b/.test(line)) return 'f';
      return /^const \w+ = (async )?[(<].*=>/.test(line) ? 'c' : '';
    })
    .join('');
}

/** A constant has to stand above what uses it when the module is loaded; a function never has. */
const isInOrder = (text: string): boolean => /^([fc]*|[cE]*E|[cE]*E-[fc]+)$/.test(orderOf(text));

describe('a file', () => {
  it('has its private functions below its exports, under a divider', () => {
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.ts'),
    );
    expect(files.filter((path) => !isInOrder(readFileSync(`${source}${path}`, 'utf8')))).toEqual([]);
  });

  it('is found out when it has not', () => {
    const exported = 'export function a() {}';
    const helper = 'function b() {}';
    for (const lines of [[exported], [helper], [exported, divider, helper]]) {
      expect(isInOrder(lines.join('\n'))).toBe(true);
    }
    const wrong = [
      [helper, exported],
      [exported, helper],
      [exported, divider],
      [exported, divider, helper, exported],
      [divider, helper],
    ];
    for (const lines of wrong) expect(isInOrder(lines.join('\n'))).toBe(false);
  });
});
