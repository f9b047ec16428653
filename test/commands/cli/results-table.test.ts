import { expect, it } from 'vitest';
import { createTable } from '../../../src/commands/cli/results-table.ts';

const airplane = { index: 5, label: 'airplanes', probability: 0.934 };
const ant = { index: 6, label: 'ant', probability: 0.021 };
const size = { width: 640, height: 480 };

it('prints classes', () => {
  const table = createTable('classify', ['a.jpg', 'photos/b.png'], ['airplanes', 'ant']);
  expect([
    table.header,
    ...table.result('a.jpg', { ...size, classes: [airplane, ant] }),
    ...table.error('photos/b.png', 'CORRUPT_IMAGE', 'it ends too early'),
  ]).toEqual([
    'FILE          CLASS      PROBABILITY',
    'a.jpg         airplanes       93.4 %',
    '              ant              2.1 %',
    'photos/b.png  CORRUPT_IMAGE: it ends too early',
  ]);
});

it('prints boxes', () => {
  const table = createTable('localise', ['a.jpg'], ['airplanes', 'ant']);
  const detection = {
    ...airplane,
    score: 8.1,
    windows: 9,
    box: { x: 31.5, y: 80.2, width: 550.1, height: 210.7 },
  };
  expect([
    table.header,
    ...table.result('a.jpg', { ...size, classes: [airplane], detections: [detection] }),
  ]).toEqual([
    'FILE   CLASS      PROBABILITY   SCORE  BOX (pixels)',
    'a.jpg  airplanes       93.4 %    8.10  550 x 211 at 32, 80',
  ]);
});

it('shortens long paths from the left', () => {
  const path = `${'folder/'.repeat(20)}picture.jpg`;
  const [line] = createTable('classify', [path], ['ant']).result(path, { ...size, classes: [ant] });
  expect(line).toMatch(/^….{36}picture\.jpg {2}ant/);
});
