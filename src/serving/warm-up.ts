import type { Ensemble } from '../ensembles/ensemble.ts';
import type { Inference } from '../inference/inference.ts';
import { untimed } from '../inference/lifetime.ts';
import { readImageOptions } from '../inference/options.ts';

/**
 * Answers one picture by every network at every default scale, through the whole path. Throws what the first real
 * request would have met.
 */
export async function warmUp(inference: Inference, ensemble: Ensemble): Promise<void> {
  const task = ensemble.localisers.length > 0 ? 'localise' : 'classify';
  const options = readImageOptions(task, { top: 1 });
  await inference.run(picture, options, untimed('warm-up'));
}

/** A JPEG of 96 x 64 pixels: a disc on a colour ramp. */
const picture = Buffer.from(
  [
    '/9j/2wBDABsbGxscGx4hIR4qLSgtKj04MzM4PV1CR0JHQl2NWGdYWGdYjX2Xe3N7l33gsJycsOD/2c7Z////////////////2wBD',
    'ARsbGxscGx4hIR4qLSgtKj04MzM4PV1CR0JHQl2NWGdYWGdYjX2Xe3N7l33gsJycsOD/2c7Z////////////////wgARCABAAGAD',
    'ASIAAhEBAxEB/8QAGQABAAMBAQAAAAAAAAAAAAAAAgEDBAUA/8QAGgEBAAIDAQAAAAAAAAAAAAAAAwQFAAIGAf/aAAwDAQACEAMQ',
    'AAAA4UubYzLRsFfrib85dGg3zJLaUE5J8SSsuYFx2RU0IqkNIrVsNXQxz7Ey59lYk5suYGqqyKt6KqcSK1c5rzLmBJeycUubHmDL',
    'RvDhRVn3kbhJY4Tk3//EACMQAQEAAgEDAwUAAAAAAAAAAAARAQMCBCAhEjJxFDFBUWH/2gAIAQEAAT8AiIiIiIiIiIjVo5bP5hjo',
    '+E88svpNf75NnT8tfm3CIiIiNWr18p+GOzdq9Gbj7ZREREaMTjn57d2LryiIiI0+3Pz27PZlERERwzM9vPN8IiIiIxmMZwuFRERE',
    'RERERER//8QAHBEBAAMAAwEBAAAAAAAAAAAAAQACAwQRIRAx/9oACAECAQE/AFizXk5ZvTb2V5OV3otFixZyNGmdk/Y/MdG2fv6e',
    'RYs5A3zQ+5DWkWLFl8qWe4Z0rFiz/8QAGhEBAQEBAQEBAAAAAAAAAAAAAgABEQMhE//aAAgBAwEBPwAqKv2B+bsPYLedioqKtfDG',
    'N4vdMVFXe5GN5fMioqKs5HkVFX//2Q==',
  ].join(''),
  'base64',
);
