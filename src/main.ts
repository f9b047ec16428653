#!/usr/bin/env node
import { isVerydeepError } from './errors.ts';
import { isWrongUse } from './options/invalid-option.ts';
import { packageVersion } from './package-version.ts';

interface Command {
  readonly help: string;
  /** Returns the exit code: 0, 1 failed, 2 wrong use. */
  run(argv: string[]): Promise<number>;
}

/** Each is loaded only when it is called, so that `--help` needs no native package. */
const commands: Record<string, { readonly summary?: string; load(): Promise<Command> }> = {
  serve: { summary: 'answer images over HTTP and WebSocket', load: () => import('./commands/serve.ts') },
  classify: { summary: 'say what is on pictures', load: () => import('./commands/classify.ts') },
  localise: { summary: 'say what is on pictures, and where', load: () => import('./commands/localise.ts') },
  check: {
    summary: 'say what a training would find in a data set',
    load: () => import('./commands/check.ts'),
  },
  train: { summary: 'train a network on a folder of pictures', load: () => import('./commands/train.ts') },
  evaluate: {
    summary: 'measure an ensemble on a folder of pictures',
    load: () => import('./commands/evaluate.ts'),
  },
  features: { summary: 'describe pictures by features', load: () => import('./commands/features.ts') },
  assemble: {
    summary: 'put trained networks together as an ensemble',
    load: () => import('./commands/assemble.ts'),
  },
  'setup-onednn': {
    summary: 'install the fast engine for the CPU',
    load: () => import('./commands/setup-onednn.ts'),
  },
  // Not for people, and not in the list: serve starts it.
  'job-process': { load: () => import('./commands/job-process.ts') },
};

const list = Object.entries(commands)
  .filter(([, { summary }]) => summary !== undefined)
  .map(([name, { summary }]) => `  ${name.padEnd(14)}${summary}`)
  .join('\n');

const help = `verydeep: classifies and localises images with very deep ConvNets (VGG-16 + VGG-19)

Usage: verydeep COMMAND [OPTIONS]

${list}

  verydeep COMMAND --help   options and examples of a command
  verydeep --version        its version`;

/** Dispatches to a command and returns the exit code. */
async function main([name, ...argv]: string[]): Promise<number> {
  if (name === '--version') {
    console.log(packageVersion());
    return 0;
  }
  if (name === '--help' || name === '-h') {
    console.log(help);
    return 0;
  }
  const entry = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) {
    console.error(
      name === undefined ? help : `verydeep: unknown command "${name}"; expected one of\n${list}`,
    );
    return 2;
  }
  const command = await entry.load();
  if (argv.includes('--help') || argv.includes('-h')) {
    console.log(command.help.trim());
    return 0;
  }
  try {
    return await command.run(argv);
  } catch (error) {
    if (isWrongUse(error)) {
      console.error(`verydeep ${name}: ${error.message}\nSee: verydeep ${name} --help`);
      return 2;
    }
    if (!isVerydeepError(error)) throw error;
    console.error(`verydeep ${name}: ${error.message} (${error.code})`);
    return 1;
  }
}

// The reader of a pipe has what it wanted (`verydeep classify ... | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error); // a bug: with its stack
    process.exit(1);
  },
);
