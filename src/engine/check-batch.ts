import { VerydeepError } from '../errors.ts';
import type { ForwardSpec } from '../network/architecture.ts';
import type { Batch } from './engine.ts';

/** Throws ENGINE_FAILED if a batch names a network that is not loaded, or is not of the size that it states. */
export function checkBatch(batch: Batch, loaded: ReadonlyMap<string, { readonly spec: ForwardSpec }>): void {
  const { count, height, width, pixels } = batch;
  const expectedBytes = count * height * width * 3;
  const isWhole = [count, height, width].every((size) => Number.isSafeInteger(size) && size >= 1);
  if (!isWhole || pixels.length !== expectedBytes) {
    throw failed(
      `expected pixels of [${count}, ${height}, ${width}, 3], ${expectedBytes} bytes, received ${pixels.length}`,
    );
  }
  for (const id of batch.networks) {
    const network = loaded.get(id);
    if (!network) {
      throw failed(`expected one of the loaded networks (${[...loaded.keys()].join(', ')}), received ${id}`);
    }
    const { crop } = network.spec;
    if (height < crop || width < crop) {
      throw failed(
        `network ${id}: expected pictures of at least ${crop} x ${crop}, received ${width} x ${height}`,
      );
    }
  }
}

// --- helpers ---

function failed(message: string): VerydeepError {
  return new VerydeepError('ENGINE_FAILED', message);
}
