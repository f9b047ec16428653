import { parseArgs } from 'node:util';

export const help = `
verydeep setup-onednn: installs the fast engine for the CPU

Usage: verydeep setup-onednn

Downloads the wheel of oneDNN with pip, compares its checksum and unpacks its library into .onednn/ of this package, where
all commands and the service find it. For Linux on x64; elsewhere the package manager has it (docs/onednn.md).

Examples:
  verydeep setup-onednn

Exit codes: 0 it is there, 1 it could not be installed, 2 wrong use.
`;

export async function run(argv: string[]): Promise<number> {
  parseArgs({ args: argv });
  const { installOnednn } = await import('../engine/onednn/library/install.ts');
  const { version, path } = await installOnednn();
  console.log(`oneDNN ${version} is in ${path}`);
  return 0;
}
