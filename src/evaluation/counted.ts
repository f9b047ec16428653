/** `1 image`, `12 images`; `1 class`, `3 classes`; `1 box`, `2 boxes`. */
export function counted(count: number, thing: string): string {
  if (count === 1) return `1 ${thing}`;
  return `${count} ${thing}${/[sx]$/.test(thing) ? 'es' : 's'}`;
}
