import { describeEngine } from '../contract.ts';
import { createHost } from './hosts.ts';

describeEngine('remote', () => createHost());
