import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Native add-ons (sharp, onnxruntime, koffi) are not safe in worker threads.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // tfjs registers its gradients in modules beside its bundle, which Node alone cannot load.
    server: { deps: { inline: [/tfjs-core\/dist\/(?!tf-core)/] } },
  },
});
