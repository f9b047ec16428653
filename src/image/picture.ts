/** Decoded pixels: sRGB, `[height, width, 3]`, one byte a value. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Cuts out a rectangle. Throws RangeError where it does not lie in the picture. */
export function crop(picture: Picture, x: number, y: number, width: number, height: number): Picture {
  if (x < 0 || y < 0 || width < 1 || height < 1 || x + width > picture.width || y + height > picture.height) {
    throw new RangeError(
      `expected a crop inside ${picture.width} x ${picture.height} pixels, received ${width} x ${height} at (${x}, ${y})`,
    );
  }
  const pixels = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const start = ((y + row) * picture.width + x) * 3;
    pixels.set(picture.pixels.subarray(start, start + width * 3), row * width * 3);
  }
  return { width, height, pixels };
}

/** The picture as a mirror beside it shows it: left and right exchanged. */
export function mirror({ width, height, pixels }: Picture): Picture {
  const mirrored = new Uint8Array(pixels.length);
  for (let row = 0; row < height; row++) {
    for (let x = 0; x < width; x++) {
      const from = (row * width + x) * 3;
      const to = (row * width + width - 1 - x) * 3;
      mirrored[to] = pixels[from]!;
      mirrored[to + 1] = pixels[from + 1]!;
      mirrored[to + 2] = pixels[from + 2]!;
    }
  }
  return { width, height, pixels: mirrored };
}
