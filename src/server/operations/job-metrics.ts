import { Gauge, type Registry } from 'prom-client';
import type { RunningJob } from '../../jobs/job.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import { within } from '../within.ts';

export type JobGauges = Pick<Jobs, 'counts' | 'running'>;

/** A scrape does not wait longer for the database; the counts are absent then. */
const countsTimeoutMs = 1000;

/** Metrics of jobs: how many there are on all replicas, and what those of this one do. */
export function registerJobMetrics(registry: Registry, jobs: () => JobGauges | undefined): void {
  const registers = [registry];

  new Gauge({
    name: 'verydeep_jobs',
    help: 'Jobs of all replicas by state; absent while the database cannot be reached.',
    labelNames: ['state'] as const,
    registers,
    async collect() {
      this.reset();
      const counting = jobs()?.counts();
      const counts = counting && (await within(counting, countsTimeoutMs).catch(() => undefined));
      for (const [state, count] of Object.entries(counts ?? {})) this.set({ state }, count);
    },
  });

  runningGauge('verydeep_job_epoch', 'Epoch of the running job, from 1.', ({ progress }) => progress?.epoch);
  runningGauge(
    'verydeep_job_step',
    'Steps that it has done in this epoch.',
    ({ progress }) => progress?.step,
  );
  runningGauge('verydeep_job_loss', 'Its mean training loss of the epoch so far.', ({ loss }) => loss);
  runningGauge(
    'verydeep_job_images_per_second',
    'Images a second that it trains on.',
    ({ progress }) => progress?.imagesPerSecond,
  );
  runningGauge(
    'verydeep_job_checkpoint_age_seconds',
    'Time since its last checkpoint was on disk: what a crash would lose.',
    ({ checkpoint }) => checkpoint && Math.max(0, (Date.now() - checkpoint.savedAtMs) / 1000),
  );
  runningGauge(
    'verydeep_job_checkpoint_duration_seconds',
    'Time that writing it took.',
    ({ checkpoint }) => checkpoint?.seconds,
  );

  function runningGauge(name: string, help: string, read: (job: RunningJob) => number | undefined): void {
    new Gauge({
      name,
      help,
      labelNames: ['job', 'type'] as const,
      registers,
      collect() {
        this.reset(); // a job that has ended is no more told of
        for (const job of jobs()?.running() ?? []) {
          const value = read(job);
          if (value !== undefined) this.set({ job: job.id, type: job.type }, value);
        }
      },
    });
  }
}
