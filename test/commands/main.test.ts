import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { verydeep } from './verydeep.ts';

const names = ['serve', 'classify', 'localise', 'train', 'evaluate', 'features', 'assemble', 'setup-onednn'];

describe('verydeep', () => {
  it('lists its commands', async () => {
    const { code, stdout, stderr } = await verydeep('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of names) expect(stdout).toContain(`\n  ${name} `);
  });

  it('says its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await verydeep('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each([[[]], [['clasify']], [['toString']]])('answers %j with 2 and the commands', async (argv) => {
    const { code, stdout, stderr } = await verydeep(...argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    for (const name of names) expect(stderr).toContain(`\n  ${name} `);
  });

  it.each(names)('has a help text with examples for %s', async (name) => {
    const { code, stdout } = await verydeep(name, '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`verydeep ${name}`));
    expect(stdout).toMatch(/Examples?/);
  });

  it.each([['classify', '--magic', 'a.jpg'], ['classify', '--top', '0', 'a.jpg'], ['localise']])(
    'answers wrong use with 2 and one clean line: %s %s %s',
    async (...argv) => {
      const { code, stdout, stderr } = await verydeep(...argv.filter((word) => word !== undefined));
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(new RegExp(`^verydeep ${argv[0]}: .*\nSee: verydeep ${argv[0]} --help\n$`));
    },
  );

  it('answers a coded error with 1 and one clean line', async () => {
    const { code, stdout, stderr } = await verydeep('classify', 'a.jpg', '--weights', '/nowhere');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^verydeep classify: .*\(INVALID_WEIGHTS\)\n$/);
  });
});
