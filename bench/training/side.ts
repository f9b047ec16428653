import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A process that trains when it is its turn and sleeps otherwise. */
export interface Side {
  /** Images a second over `turnMs`. */
  turn(turnMs: number): Promise<number>;
  /** Largest resident memory so far (Linux). */
  peakBytes(): number;
  stop(): void;
}

/** Starts a program that answers each line on stdin, milliseconds, with a line on stdout, images a second. */
export function startSide(program: string, args: readonly string[]): Side {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(([code]): never => {
    throw new Error(`${program} ended with code ${code}`);
  });
  ended.catch(() => {}); // an end between two turns is reported by the next
  return {
    async turn(turnMs) {
      const answer = once(answers, 'line');
      child.stdin.write(`${turnMs}\n`);
      const [line] = await Promise.race([answer, ended]);
      return Number(line);
    },
    peakBytes() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)![1]);
    },
    stop: () => void child.kill(),
  };
}
