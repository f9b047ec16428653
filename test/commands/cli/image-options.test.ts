import { describe, expect, it } from 'vitest';
import { parseImageCommand } from '../../../src/commands/cli/image-options.ts';

describe('options of classify and localise', () => {
  it('have defaults', () => {
    expect(parseImageCommand('classify', ['a.jpg'])).toEqual({
      files: ['a.jpg'],
      inference: { task: 'classify', top: 5, flip: true, view: 'dense', maps: false, boxes: 'best' },
      json: false,
      ensemble: 'demo',
      version: 'stable',
      weights: expect.stringMatching(/weights$/),
      engine: 'auto',
      devices: 'cpu',
      threads: 0,
    });
  });

  it('are read', () => {
    const argv =
      'a.jpg photos --top 3 --scales 128,160 --no-flip --view both --networks d,e --ensemble mine@2 --weights w --engine reference --devices cpu,cpu --threads 4 --json';
    expect(parseImageCommand('classify', argv.split(' '))).toEqual({
      files: ['a.jpg', 'photos'],
      inference: {
        task: 'classify',
        top: 3,
        scales: [128, 160],
        flip: false,
        view: 'both',
        networks: ['d', 'e'],
        maps: false,
        boxes: 'best',
      },
      json: true,
      ensemble: 'mine',
      version: '2',
      weights: 'w',
      engine: 'reference',
      devices: 'cpu,cpu',
      threads: 4,
    });
    expect(parseImageCommand('localise', ['a.jpg', '--boxes', 'all']).inference.boxes).toBe('all');
  });

  it.each([
    [['--top', '0', 'a.jpg'], /--top: expected an integer from 1 to 1000; received 0/],
    [['--top', 'many', 'a.jpg'], /--top/],
    [['--scales', '128,', 'a.jpg'], /--scales/],
    [['--view', 'wide', 'a.jpg'], /--view: expected dense, crops, both; received "wide"/],
    [['--engine', 'magic', 'a.jpg'], /--engine/],
    [[], /files: expected at least one/],
  ])('refuses %j', (argv, message) => {
    expect(() => parseImageCommand('classify', argv)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringMatching(message) }),
    );
  });

  it('refuses what the command does not know', () => {
    expect(() => parseImageCommand('classify', ['a.jpg', '--boxes', 'all'])).toThrow(/--boxes/);
    expect(() => parseImageCommand('localise', ['a.jpg', '--view', 'both'])).toThrow(/--view/);
  });
});
