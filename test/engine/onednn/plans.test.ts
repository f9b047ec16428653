import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { slownessOf } from '../../../src/engine/onednn/primitives/slowness.ts';
import { describeOnednn } from './library.ts';
import type { PlannedNetwork } from './planned-layers.ts';

const script = fileURLToPath(new URL('./planned-layers-process.ts', import.meta.url));

/** Instructions that oneDNN may use at most; a CPU that has fewer uses those. Below AVX512_CORE_BF16 there is fp32 only. */
const limits = process.arch === 'x64' ? ['DEFAULT', 'AVX512_CORE_BF16', 'AVX2'] : ['DEFAULT'];

describeOnednn('plans of oneDNN, at full size and the demo’s', () => {
  it.each(limits)(
    'are fast for every layer, batch and size, and share one copy of the fully connected weights: %s',
    {
      timeout: 120_000,
    },
    async (limit) => {
      const env = { ...process.env, ONEDNN_MAX_CPU_ISA: limit };
      const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script], { env });
      const found = JSON.parse(stdout) as { network: string; planned?: PlannedNetwork }[];
      const planned = found.filter((each) => each.planned);
      expect(planned.length).toBeGreaterThanOrEqual(found.length / 2); // fp32 at least
      for (const { network, planned: plan } of planned) {
        expect(plan!.plans, network).toBeGreaterThan(200);
        expect(plan!.slow, network).toEqual([]);
        expect(plan!.copied, network).toEqual([]);
      }
    },
  );
});

describe('slowness of an implementation', () => {
  it.each([
    ['brgconv:avx512_core_amx', 0],
    ['brgconv_1x1:avx2', 0],
    ['brgemm:avx512_core', 0],
    ['brg_fwd:avx512_core+brgconv:avx512_core', 0], // the gradient of a convolution's input
    ['jit:sve_512', 0],
    ['jit_bf16_1x1:avx512_core', 0],
    ['gemm:jit', 1],
    ['x64:gemm:jit', 1],
    ['ref:any', 2],
    ['ip:any+gemm:jit', 2],
    ['simple:any', 2],
    ['a_name_of_tomorrow:any', 2],
  ] as const)('of %s is %i', (implementation, slowness) => {
    expect(slownessOf({ implementation })).toBe(slowness);
  });
});
