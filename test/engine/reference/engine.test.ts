import { createReferenceEngine } from '../../../src/engine/reference/engine.ts';
import { describeEngine } from '../contract.ts';

describeEngine('the reference engine', async () => createReferenceEngine());
