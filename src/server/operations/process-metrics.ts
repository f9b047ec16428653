import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';
import { packageVersion } from '../../package-version.ts';

const eventLoopResolutionMs = 10;

/** Metrics of the server's own process. Returns a function that ends the measuring. */
export function registerProcessMetrics(registry: Registry): () => void {
  const registers = [registry];

  new Gauge({
    name: 'verydeep_build_info',
    help: 'Always 1; its labels say which version of verydeep runs on which version of Node.',
    labelNames: ['version', 'node', 'platform'] as const,
    registers,
  }).set(
    {
      version: packageVersion(),
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
    },
    1,
  );

  new Gauge({
    name: 'verydeep_process_resident_memory_bytes',
    help: 'Resident memory of the server.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });

  const eventLoop = monitorEventLoopDelay({ resolution: eventLoopResolutionMs });
  eventLoop.enable();
  new Gauge({
    name: 'verydeep_event_loop_delay_seconds',
    help: 'Delay of timers since the last scrape: p50, p90, p99, max.',
    labelNames: ['statistic'] as const, // `quantile` belongs to summaries
    registers,
    collect() {
      for (const [statistic, percentile] of Object.entries({ p50: 50, p90: 90, p99: 99, max: 100 })) {
        // What is measured is the time between timers: their own period is no delay.
        const delayMs = eventLoop.percentile(percentile) / 1e6 - eventLoopResolutionMs;
        this.set({ statistic }, Math.max(0, delayMs) / 1000);
      }
      eventLoop.reset();
    },
  });
  return () => eventLoop.disable();
}
