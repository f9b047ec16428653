import type { Engine } from '../engine/engine.ts';
import { gridCrops } from '../image/crop-grid.ts';
import type { Picture } from '../image/picture.ts';
import type { Plan, PlanTask } from './jitter-plan.ts';
import { type ScaleOutputs, scaleOutputs } from './scale-outputs.ts';
import type { Reservation } from './scheduling/admission.ts';
import { joinOutputs, joinPixels } from './scheduling/batch.ts';
import type { InferenceObserver } from './scheduling/observer.ts';
import type { BatchItem, ItemAnswer } from './scheduling/run-batch.ts';
import type { Scheduler } from './scheduling/scheduler.ts';

/** Where the tasks of one version run. */
export interface PlanRunner {
  readonly engine: Pick<Engine, 'run'>;
  readonly scheduler: Scheduler;
  /** Side of the crops of its networks, in pixels. */
  readonly crop: number;
  readonly observer?: InferenceObserver | undefined;
}

/** One image's place in the scheduler. */
export interface PlanRun {
  readonly client: string;
  readonly reservation: Reservation;
  readonly signal: AbortSignal;
  /**
   * Gets the scales that are done, in the plan's order, from coarse to fine: one is told when all coarser ones are done.
   * Not called with all of them.
   */
  onScale(done: readonly ScaleOutputs[]): void;
}

/** Runs all tasks of a plan, coarse scales first; `pictures` has one for each of its scales. */
export async function runPlan(
  runner: PlanRunner,
  plan: Plan,
  pictures: readonly Picture[],
  { client, reservation, signal, onScale }: PlanRun,
): Promise<{ scales: ScaleOutputs[]; intervals: ItemAnswer[] }> {
  const outputs: (ScaleOutputs | undefined)[] = plan.scales.map(() => undefined);
  const intervals: ItemAnswer[] = [];
  const coarseFirst = plan.scales
    .map((_, k) => k)
    .sort((a, b) => plan.scales[a]!.scale - plan.scales[b]!.scale);
  let told = 0;

  function tell(): void {
    const reached = coarseFirst.findIndex((k) => outputs[k] === undefined);
    if (reached <= told) return;
    told = reached;
    const done = coarseFirst.slice(0, reached).sort((a, b) => a - b);
    onScale(done.map((k) => outputs[k]!));
  }

  async function runTask(task: PlanTask, picture: Picture) {
    const parts = await Promise.all(
      itemsOf(runner, task, picture, client).map((item) => runner.scheduler.run(item, reservation, signal)),
    );
    intervals.push(...parts);
    return joinOutputs(parts.map((part) => part.outputs));
  }

  await Promise.all(
    coarseFirst.map(async (k) => {
      const scale = plan.scales[k]!;
      const answers = await Promise.all(scale.tasks.map((task) => runTask(task, pictures[k]!)));
      outputs[k] = scaleOutputs(scale, answers);
      tell();
    }),
  );
  return { scales: outputs.map((scale) => scale!), intervals };
}

// --- helpers ---

/** One item, or of crops as many as their work needs to stay within a batch. */
function itemsOf(
  { engine, scheduler, crop, observer }: PlanRunner,
  { view, networks, height, width, flip, maps, work, count }: PlanTask,
  picture: Picture,
  client: string,
): BatchItem[] {
  const ids = networks.map(({ id }) => id);
  const pictures = view === 'dense' ? [picture] : gridCrops(picture, crop);
  const workOfOne = work / count;
  return chunksOf(pictures, Math.floor(scheduler.maxBatchWork / workOfOne)).map((chunk) => ({
    client,
    engine,
    observer,
    networks: ids,
    pixels: joinPixels(chunk.map(({ pixels }) => pixels)),
    count: chunk.length,
    height,
    width,
    flip,
    maps,
    work: workOfOne * chunk.length,
  }));
}

/** Parts of nearly one length, of at most `most` and at least one each, in order. */
function chunksOf<T>(all: readonly T[], most: number): T[][] {
  const length = Math.ceil(all.length / Math.ceil(all.length / Math.max(1, most)));
  return Array.from({ length: Math.ceil(all.length / length) }, (_, k) =>
    all.slice(k * length, (k + 1) * length),
  );
}
