import type { Detection, ImageResult, RankedClass } from '../../inference/answer.ts';
import type { Task } from '../../inference/options.ts';

/** Prints results as lines of a table whose columns are as wide as names and labels need. */
export interface Table {
  readonly header: string;
  /** One line for each class or box. */
  result(name: string, result: ImageResult): string[];
  error(name: string, code: string, message: string): string[];
}

const longestName = 48;

export function createTable(task: Task, names: readonly string[], labels: readonly string[]): Table {
  const widest = (texts: readonly string[], head: string): number =>
    texts.reduce((width, text) => Math.max(width, text.length), head.length);
  const nameWidth = Math.min(longestName, widest(names, 'FILE'));
  const labelWidth = widest(labels, 'CLASS');

  const line = (...cells: string[]): string => cells.join('  ').trimEnd();
  const first = (name: string): string => shorten(name, nameWidth).padEnd(nameWidth);
  const classCells = ({ label, probability }: RankedClass): string[] => [
    label.padEnd(labelWidth),
    `${(100 * probability).toFixed(1)} %`.padStart(11),
  ];
  const boxCells = ({ score, box }: Detection): string[] => [
    score.toFixed(2).padStart(6),
    `${pixels(box.width)} x ${pixels(box.height)} at ${pixels(box.x)}, ${pixels(box.y)}`,
  ];

  const columns = [first('FILE'), 'CLASS'.padEnd(labelWidth), 'PROBABILITY'];
  if (task === 'localise') columns.push(' SCORE', 'BOX (pixels)');
  return {
    header: line(...columns),
    result: (name, { classes, detections }) => {
      const rows = detections?.map((detection) => [...classCells(detection), ...boxCells(detection)]);
      return (rows ?? classes.map(classCells)).map((cells, i) => line(first(i === 0 ? name : ''), ...cells));
    },
    error: (name, code, message) => [line(first(name), `${code}: ${message}`)],
  };
}

// --- helpers ---

/** Keeps the end of a path, which tells files apart. */
function shorten(name: string, width: number): string {
  return name.length <= width ? name : `…${name.slice(1 - width)}`;
}

function pixels(length: number): string {
  return Math.round(length).toString();
}
