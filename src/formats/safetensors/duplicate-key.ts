/** The first key that an object in this JSON has twice, of which `JSON.parse` keeps the last in silence. */
export function duplicateKey(json: string): string | undefined {
  /** Keys of the objects that are open here, outermost first; `undefined` for a list. */
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < json.length; i++) {
    const character = json[i]!;
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(undefined);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = endOfText(json, i);
      if (isBeforeColon(json, end)) {
        const key = JSON.parse(json.slice(i, end)) as string;
        const keys = open.at(-1);
        if (keys?.has(key)) return key;
        keys?.add(key);
      }
      i = end - 1;
    }
  }
  return undefined;
}

// --- helpers ---

/** The index after the closing quote of the text that begins at `start`. */
function endOfText(json: string, start: number): number {
  for (let quote = json.indexOf('"', start + 1); ; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (json[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
}

function isBeforeColon(json: string, end: number): boolean {
  let next = end;
  while (/\s/.test(json[next] ?? '')) next += 1;
  return json[next] === ':';
}
