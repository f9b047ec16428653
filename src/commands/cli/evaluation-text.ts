import { tablesOf } from '../../evaluation/comparison-tables.ts';
import type { Evaluation } from '../../evaluation/evaluation.ts';
import { dataLine, percent, skippedLines } from '../../evaluation/notes.ts';
import { bestRow, describeRow } from '../../evaluation/rows.ts';

/** An evaluation for people: a table a comparison, then what else there is to know. */
export function evaluationTables(evaluation: Evaluation): string {
  const tables = tablesOf(evaluation).map(({ title, paper, columns, rows }) =>
    [`${title} (paper: ${paper})`, ...aligned([columns, ...rows])].join('\n'),
  );
  const notes = [dataLine(evaluation), ...confusionLines(evaluation), ...skippedLines(evaluation)];
  return [...tables, notes.join('\n')].join('\n\n');
}

// --- helpers ---

/** Of the row with the fewest errors. */
function confusionLines(evaluation: Evaluation): string[] {
  const best = bestRow(evaluation);
  if (best === undefined || best.confusions.length === 0) return [];
  const lines = best.confusions.slice(0, 5).map(({ label, top1, images, takenFor }) => {
    const answers = takenFor.slice(0, 3).map((answer) => `${answer.label} (${answer.images})`);
    return [`  ${label}`, percent(top1), `of ${images}`, `taken for ${answers.join(', ')}`];
  });
  return [`worst classes of ${describeRow(best)}:`, ...aligned(lines)];
}

function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
}
