/** Prints what {@link planNetwork} finds for all networks, as JSON: oneDNN reads the limit on instructions once a process. */
import { type PlannedNetwork, planNetwork } from './planned-layers.ts';
import { plannedShapes } from './planned-shapes.ts';

const found: { network: string; planned: PlannedNetwork | undefined }[] = [];
for (const precision of ['fp32', 'bf16'] as const) {
  for (const { spec, sizes } of plannedShapes) {
    const network = `${precision} ${spec.architecture} width ${spec.width} ${spec.head}`;
    found.push({ network, planned: await planNetwork(spec, sizes, precision) });
  }
}
process.stdout.write(JSON.stringify(found));
