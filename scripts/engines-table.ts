import { type DeviceKind, deviceKinds, kindsInWords } from '../src/engine/devices.ts';
import type { EngineRow } from '../src/engine/engine-row.ts';
import { engineTable } from '../src/engine/engines.ts';

/** The table of all engines in docs/engines.md. */
export function enginesTable(): string {
  const rows = Object.entries<EngineRow>(engineTable).map(([name, row]) => {
    const { title, choose, needs, setup, serving, training } = row;
    const what = `posteriors${serving.outputs.map((output) => `, ${output}`).join('')}`;
    const cells = [
      `\`${name}\``,
      title,
      choose,
      byKind(serving.support),
      what,
      training ? byKind(training.support) : 'no',
      byKind(needs) + (setup ? ` (\`${setup.command}\` installs it)` : ''),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const headings = ['engine', 'what computes', 'take it', 'serves on', 'returns', 'trains on', 'needs'];
  return [`| ${headings.join(' | ')} |`, `|${'---|'.repeat(headings.length)}`, ...rows].join('\n');
}

// --- helpers ---

/** `cpu: fp32, bf16; cuda:N: fp32`. */
function byKind(facts: Partial<Record<DeviceKind, string | readonly string[]>>): string {
  const named = deviceKinds.flatMap((kind) => {
    const fact = facts[kind];
    if (fact === undefined) return [];
    return [`\`${kindsInWords([kind])}\`: ${typeof fact === 'string' ? fact : fact.join(', ')}`];
  });
  return named.join('; ');
}
