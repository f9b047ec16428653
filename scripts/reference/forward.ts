import { join } from 'node:path';
import type { Engine } from '../../src/engine/engine.ts';
import type { NetworkSpec } from '../../src/network/architecture.ts';
import {
  forwardCases,
  largestDifference,
  readReference,
  referencePreprocessing,
} from '../../test/engine/reference-values.ts';
import { type Report, scoreLimit } from './rows.ts';

/** Score maps, mirrored score maps and posteriors of `NAME.forward.safetensors`, and posteriors over three scales. */
export async function verifyForward(
  engine: Engine,
  folder: string,
  name: string,
  spec: NetworkSpec,
  report: Report,
): Promise<void> {
  await loadNetwork(engine, folder, name, spec);
  const file = readReference(join(folder, `${name}.forward.safetensors`));
  const worst = { 'score maps': 0, 'mirrored score maps': 0, posteriors: 0, 'flip-averaged posteriors': 0 };
  const raise = (what: keyof typeof worst, actual: Float32Array, expected: Float32Array): void => {
    worst[what] = Math.max(worst[what], largestDifference(actual, expected));
  };
  const flipAveraged: Float32Array[] = [];
  for (const { pixels, height, width, ...expected } of forwardCases(file)) {
    const picture = { networks: [name], pixels, count: 1, height, width };
    const alone = (await engine.run({ ...picture, flip: false, maps: false })).get(name)!;
    const both = (await engine.run({ ...picture, flip: true, maps: true })).get(name)!;
    const view = expected.scoreMap.length;
    raise('score maps', both.maps!.data.slice(0, view), expected.scoreMap);
    raise('mirrored score maps', both.maps!.data.slice(view), expected.mirroredScoreMap);
    raise('posteriors', alone.posteriors!, expected.posterior);
    raise('flip-averaged posteriors', both.posteriors!, expected.flipAveraged);
    flipAveraged.push(both.posteriors!);
  }
  const scales = flipAveraged.slice(0, 3);
  const mean = scales[0]!.map((_, c) => scales.reduce((sum, posteriors) => sum + posteriors[c]!, 0) / 3);
  const rows = {
    ...worst,
    'posteriors over three scales': largestDifference(mean, file.numbers('posterior_multi_scale')),
  };
  for (const [what, error] of Object.entries(rows)) {
    report({ engine: engine.capabilities.engine, reference: name, what, error, limit: scoreLimit });
  }
  await engine.unload(name);
}

/** The dense box map of `NAME.training.safetensors`. */
export async function verifyBoxMap(
  engine: Engine,
  folder: string,
  name: string,
  spec: NetworkSpec,
  report: Report,
): Promise<void> {
  await loadNetwork(engine, folder, name, spec);
  const file = readReference(join(folder, `${name}.training.safetensors`));
  const { pixels, shape } = file.pixels('dense.picture');
  const [height, width] = shape as [number, number];
  const outputs = await engine.run({
    networks: [name],
    pixels,
    count: 1,
    height,
    width,
    flip: false,
    maps: false,
  });
  const error = largestDifference(outputs.get(name)!.maps!.data, file.numbers('dense.box_map'));
  report({
    engine: engine.capabilities.engine,
    reference: name,
    what: 'box map',
    error,
    limit: scoreLimit,
  });
  await engine.unload(name);
}

function loadNetwork(engine: Engine, folder: string, name: string, spec: NetworkSpec): Promise<void> {
  const weights = { path: join(folder, `${name}.safetensors`) };
  return engine.load({ id: name, spec, preprocessing: referencePreprocessing, weights });
}
