import { counted, percent } from '../../evaluation/notes.ts';
import type { OnTrainingEvent, TrainingEvent } from '../../training/events.ts';
import { createProgress, duration, type Progress } from './progress.ts';

/** Shows a training on the terminal: a bar while images load and for each epoch, a line for each result. */
export function createTrainingPrinter(): { readonly print: OnTrainingEvent; stop(): void } {
  let bar: Progress | undefined;
  let title = '';
  const barOf = (name: string, total: number): Progress => {
    if (bar === undefined || title !== name) {
      bar?.stop();
      bar = createProgress(name, total);
      title = name;
    }
    return bar;
  };
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  return {
    print(event) {
      if (event.type === 'loading') {
        barOf('images', event.total).update(event.done);
      } else if (event.type === 'step') {
        const { loss, imagesPerSecond, etaSeconds } = event;
        const note = `loss ${loss.toFixed(4)}, ${imagesPerSecond.toFixed(0)} images/s, ${duration(etaSeconds)} left in all`;
        barOf(`epoch ${event.epoch}`, event.steps).update(event.step, note);
      } else {
        const lines = linesOf(event);
        if (lines.length > 0) stop();
        for (const line of lines) console.error(line);
      }
    },
    stop,
  };
}

// --- helpers ---

/** What has helped deep networks off the loss of guessing. */
const stallAdvice =
  '  the loss is still that of guessing: if it stays so, start from a trained network (--from demo) or a shallower one (--from RUN), draw by --initialise he, or lower the --rate';

function linesOf(event: Exclude<TrainingEvent, { type: 'loading' | 'step' }>): string[] {
  switch (event.type) {
    case 'dataset': {
      const { train, validation, classes, skipped } = event;
      return [
        `${train} training and ${counted(validation, 'validation image')}, ${counted(classes, 'class')}`,
        ...skipped.map((problem) => `skipped ${problem}`),
      ];
    }
    case 'start': {
      const parameters = event.parameters.toLocaleString('en');
      return [`${event.engine}, ${parameters} parameters, from epoch ${event.epoch} of ${event.epochs}`];
    }
    case 'epoch': {
      const top5 = event.top5 === undefined ? '' : `, top-5 ${percent(event.top5)}`;
      const losses = `training loss ${event.trainingLoss.toFixed(4)}, validation loss ${event.loss.toFixed(4)}`;
      const accuracy = `accuracy ${percent(event.accuracy)}${top5}${event.best ? ' (best)' : ''}`;
      const line = `epoch ${event.epoch}: rate ${event.rate}, ${losses}, ${accuracy}`;
      return event.atChance ? [line, stallAdvice] : [line];
    }
    case 'checkpoint':
      return [];
    case 'interrupted':
      return [`interrupted in epoch ${event.epoch} after step ${event.step}: go on with --resume`];
    case 'done':
      return [
        `best network: epoch ${event.epoch}, accuracy ${percent(event.accuracy)}`,
        `last checkpoint: ${event.checkpoint}`,
      ];
  }
}
