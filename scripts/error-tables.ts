import { codesOf, type ErrorKind, errorEntry, errorKinds } from '../src/errors.ts';

/** The tables of docs/errors.md in Markdown: one for each kind of error, under what it is about. */
export function errorTables(): string {
  const kinds = Object.keys(errorKinds) as ErrorKind[];
  return kinds.map((kind) => `${errorKinds[kind]}\n\n${tableOf(kind)}`).join('\n\n');
}

// --- helpers ---

function tableOf(kind: ErrorKind): string {
  const rows = codesOf(kind).map((code) => {
    const { status, retry, description } = errorEntry(code);
    return `| \`${code}\` | ${status} | ${retry ? 'yes' : ''} | ${description} |`;
  });
  return ['| code | status | try again | what it is |', '|---|---|---|---|', ...rows].join('\n');
}
