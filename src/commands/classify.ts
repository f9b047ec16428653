import { imageOptionsHelp } from './cli/image-options.ts';

export const help = `
verydeep classify: says what is on pictures

Usage: verydeep classify FILE|FOLDER... [OPTIONS]

A folder stands for all images in it and under it.

${imageOptionsHelp('classify')}

Examples:
  verydeep classify photo.jpg
  verydeep classify photos/ --json > answers.jsonl
  verydeep classify photo.jpg --top 1 --scales 128,160,192 --no-flip
  verydeep classify photos/ --ensemble mine@2 --weights weights/ --devices cuda:0

Exit codes: 0 all answered, 1 a file could not be answered (its row says why), 2 wrong use.
`;

export async function run(argv: string[]): Promise<number> {
  const { answerImages } = await import('./cli/answer-images.ts'); // heavy, and the help text does not need it
  return answerImages('classify', argv);
}
