// A job's process for tests: it speaks src/jobs/process-protocol.ts and does what its settings say. Plain JavaScript, so
// that it starts at once. SIGUSR2 lets it do the next of `steps` steps, and each leaves a checkpoint.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const tell = (event) => process.send({ type: 'event', event });
let end = (message) => process.send(message, () => process.exit());

process.on('message', (message) => (message.type === 'start' ? start(message) : stop()));
let stop = () => undefined;

function start({ job, folder, context }) {
  const { steps = 1, now = 0, crashAt, fails, ignoresStop, babbles, lingers } = job.settings;
  const checkpoint = join(folder, 'checkpoint');
  let step = existsSync(checkpoint) ? Number(readFileSync(checkpoint, 'utf8')) : 0;
  appendFileSync(join(folder, 'starts'), `${process.pid}\n`);
  process.stdout.write(`${context.greeting} from ${process.pid}\n`);
  if (fails) return end({ type: 'failed', error: { code: 'INVALID_DATASET', message: 'no pictures' } });

  const next = () => {
    if (step + 1 === crashAt) process.kill(process.pid, 'SIGKILL');
    step += 1;
    writeFileSync(checkpoint, String(step));
    tell({ type: 'checkpoint', epoch: 1, step, digest: 'sha256:0', seconds: 0.5 });
    tell({
      type: 'step',
      epoch: 1,
      step,
      steps,
      loss: 1 / step,
      rate: 0.01,
      imagesPerSecond: 10,
      etaSeconds: steps - step,
    });
    if (step >= steps) end({ type: 'done', result: resultOf(job, step) });
  };
  if (lingers) end = (message) => process.send(message); // and does not exit
  stop = () => ignoresStop || end({ type: 'stopped' });
  process.on('SIGUSR2', next);
  if (babbles) process.send({ type: 'event', event: { type: 'poem', lines: 14 } });
  tell({ type: 'start', engine: `${process.pid}`, parameters: 1, epochs: 1, epoch: 1, step });
  for (let i = 0; i < now && step < steps; i++) next();
}

const resultOf = ({ ensemble }, step) => ({ ensemble, version: '1', digest: 'sha256:0', metrics: { step } });
