import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeOnednn } from './library.ts';

describeOnednn('oneDNN on an older CPU', () => {
  // oneDNN reads the limit when it is loaded, so a process of its own has to.
  it.runIf(process.arch === 'x64')('is right without AVX-512, and refuses bf16', () => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(new URL('./instructions-child.ts', import.meta.url))],
      { encoding: 'utf8', env: { ...process.env, ONEDNN_MAX_CPU_ISA: 'AVX2' } },
    );
    const result: unknown = JSON.parse(stdout || JSON.stringify(stderr));
    expect(result).toEqual({
      scoreMap: expect.any(Number),
      gradient: expect.any(Number),
      bf16: 'DEVICE_UNAVAILABLE',
    });
    const { scoreMap, gradient } = result as { scoreMap: number; gradient: number };
    expect(scoreMap).toBeLessThan(1e-4);
    expect(gradient).toBeLessThan(1e-5);
  });
});
