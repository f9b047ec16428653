import { hashedNumber } from '../../test/network/hashed.ts';

/**
 * RGB picture `[height, width, 3]` of the reference values: waves, a flat corner (ties in max-pooling), and noise in the
 * middle third.
 */
export function referencePicture(height: number, width: number, stream: number): Uint8Array {
  const pixels = new Uint8Array(height * width * 3);
  const [noiseTop, noiseBottom] = [Math.floor(height / 3), Math.floor((2 * height) / 3)];
  const flat = [200, 30, 90];
  let i = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++, i++) {
        const wave = 128 + 100 * Math.sin((x * (1 + c) + y * (2 - c) + 13 * stream) / (9 + 5 * c));
        const isFlat = y < Math.floor(height / 4) && x < Math.floor(width / 3);
        const isNoise = y >= noiseTop && y < noiseBottom;
        pixels[i] = Math.floor(isNoise ? hashedNumber(i, stream) * 127.5 + 127.5 : isFlat ? flat[c]! : wave);
      }
    }
  }
  return pixels;
}
