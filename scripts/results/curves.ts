import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { TrainingEvent } from '../../src/training/events.ts';
import { type Folders, runFolder } from './commands.ts';
import type { Curves } from './tables.ts';

/** An epoch of one of the runs. Accuracy is that of the validation images' central crops, in percent. */
export interface Point {
  readonly run: string;
  readonly epoch: number;
  readonly trainingLoss: number;
  readonly accuracy: number;
}

/** What the logs of the runs say, epoch by epoch. */
export async function readPoints({ runs, epochs }: Curves, folders: Folders): Promise<Point[]> {
  const points: Point[] = [];
  for (const { name, says } of runs) {
    const log = await readFile(join(runFolder(folders, name), 'log.jsonl'), 'utf8');
    for (const line of log.trimEnd().split('\n')) {
      const event = JSON.parse(line) as TrainingEvent;
      if (event.type !== 'epoch' || event.epoch > epochs) continue;
      const { epoch, trainingLoss, accuracy } = event;
      points.push({ run: says, epoch, trainingLoss, accuracy: 100 * accuracy });
    }
  }
  return points;
}

/** Loss and accuracy beside each other, a line a run, as SVG. */
export async function drawPoints(points: readonly Point[]): Promise<string> {
  const panel = (field: keyof Point, title: string) => ({
    width: 330,
    height: 240,
    mark: { type: 'line' as const, strokeWidth: 2 },
    encoding: {
      x: { field: 'epoch', type: 'quantitative' as const, title: 'epoch' },
      y: { field, type: 'quantitative' as const, title, scale: { zero: field === 'accuracy' } },
      color: { field: 'run', type: 'nominal' as const, title: null, sort: null, legend: { labelLimit: 400 } },
    },
  });
  const spec: TopLevelSpec = {
    background: 'white',
    data: { values: [...points] },
    hconcat: [panel('trainingLoss', 'training loss'), panel('accuracy', 'validation top-1 %')],
    config: { legend: { orient: 'bottom', direction: 'vertical' } },
  };
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
