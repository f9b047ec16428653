import { describe, expect, it } from 'vitest';
import { createRegistry } from '../../src/serving/registry.ts';
import { plainDeployment } from '../server/app-under-test.ts';

const [two, three, four] = ['2', '3', '4'].map((version) => plainDeployment({ version })) as [
  ReturnType<typeof plainDeployment>,
  ReturnType<typeof plainDeployment>,
  ReturnType<typeof plainDeployment>,
];

describe('a registry', () => {
  it('finds deployments by the number of their version, and by version labels', () => {
    const registry = createRegistry({ ensemble: 'tiny', version: 'stable' });
    registry.add(two, ['stable']);
    registry.add(three, ['candidate']);
    expect(registry.deployments()).toEqual([two, three]);
    expect(registry.find({ ensemble: 'tiny', version: '2' })).toBe(two);
    expect(registry.find({ ensemble: 'tiny', version: 'candidate' })).toBe(three);
    expect(registry.find({ ensemble: 'tiny', version: '4' })).toBeUndefined();
    expect(registry.find({ ensemble: 'other', version: 'stable' })).toBeUndefined();
  });

  it('answers who names none by the default, which moves with its version label', () => {
    const registry = createRegistry({ ensemble: 'tiny', version: 'stable' });
    registry.add(two, ['stable']);
    expect(registry.current()).toBe(two);
    registry.add(three, []);
    expect(registry.current()).toBe(two);
    registry.add(four, ['stable']);
    expect(registry.current()).toBe(four);
    expect(registry.find({ ensemble: 'tiny', version: '2' })).toBe(two);
  });

  it('is ready when the default is', () => {
    let ready = false;
    const registry = createRegistry({ ensemble: 'tiny', version: '3' });
    expect(registry.isReady()).toBe(false);
    expect(() => registry.current()).toThrow(
      expect.objectContaining({ code: 'NOT_READY', message: 'tiny@3 is not loaded' }),
    );
    registry.add(two, []);
    expect(registry.isReady()).toBe(false);
    registry.add(plainDeployment({ version: '3', isReady: () => ready }), []);
    expect(registry.isReady()).toBe(false);
    ready = true;
    expect(registry.isReady()).toBe(true);
  });

  it('stops and disposes of all', async () => {
    const done: string[] = [];
    const registry = createRegistry({ ensemble: 'tiny', version: '2' });
    for (const deployment of [two, three]) {
      const { version } = deployment.ensemble;
      registry.add(
        {
          ...deployment,
          stop: () => void done.push(`stop ${version}`),
          dispose: async () => void done.push(`dispose ${version}`),
        },
        [],
      );
    }
    registry.stop();
    await registry.dispose();
    expect(done).toEqual(['stop 2', 'stop 3', 'dispose 2', 'dispose 3']);
  });
});
