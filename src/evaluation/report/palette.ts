/**
 * Colours of series. Of any two the distance is at least 0.1 in OKLab, for eyes with and without a colour deficiency, and
 * each stands out from the page by 3:1 (WCAG 1.4.11): more than five such colours are hard to find, so further series
 * have them again with other dashes.
 */
export const palette = {
  light: { back: '#ffffff', series: ['#1d59ae', '#f0440c', '#0b9c72', '#d069d0', '#4a3a30'] },
  dark: { back: '#14171c', series: ['#6a80d0', '#f2791e', '#22bc9d', '#f79bf7', '#eefc96'] },
} as const;

/** The page defines these variables, light or dark (style.ts). */
export const seriesColours = palette.light.series.map((_, i) => `var(--series-${i + 1})`);

const dashes = [
  [1, 0],
  [7, 4],
  [2, 3],
];

/** Colour and dashes of so many series. */
export function seriesStyles(count: number): { readonly colours: string[]; readonly dashes: number[][] } {
  const all = Array.from({ length: count }, (_, i) => i);
  return {
    colours: all.map((i) => seriesColours[i % seriesColours.length]!),
    dashes: all.map((i) => dashes[Math.floor(i / seriesColours.length) % dashes.length]!),
  };
}
