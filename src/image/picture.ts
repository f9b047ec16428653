/** Decoded pixels: sRGB, `[height, width, 3]`, one byte a value. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Cuts out a rectangle. Throws RangeError if it does not lie in the picture. */
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

/** Left upper corner of the square crop in the middle of a picture. */
export function centralCropAt(
  { width, height }: Pick<Picture, 'width' | 'height'>,
  side: number,
): { readonly x: number; readonly y: number } {
  return { x: Math.floor((width - side) / 2), y: Math.floor((height - side) / 2) };
}
