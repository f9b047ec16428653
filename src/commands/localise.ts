import { imageOptionsHelp } from './cli/image-options.ts';

export const help = `
verydeep localise: says what is on pictures, and where

Usage: verydeep localise FILE|FOLDER... [OPTIONS]

A folder stands for all images in it and under it. Boxes are in pixels of the picture as it is displayed.

${imageOptionsHelp('localise')}

Examples:
  verydeep localise photo.jpg
  verydeep localise photos/ --json > boxes.jsonl
  verydeep localise photo.jpg --top 1 --boxes all

Exit codes: 0 all answered, 1 a file could not be answered (its row says why), 2 wrong use.
`;

export async function run(argv: string[]): Promise<number> {
  const { answerImages } = await import('./cli/answer-images.ts'); // heavy, and the help text does not need it
  return answerImages('localise', argv);
}
