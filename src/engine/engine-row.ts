import type { DeviceKind } from './devices.ts';
import type { Engine, EngineOptions } from './engine.ts';
import type { Precision } from './precision.ts';
import type { LocalTrainingStep, TrainingStepOptions } from './training-step.ts';

/** The precisions in which an engine computes, by kind of device; it knows no other devices. */
export type Support = Partial<Record<DeviceKind, readonly Precision[]>>;

/** What an engine returns besides posteriors: score and box maps, features of the last hidden layer. */
export type Output = 'maps' | 'features';

/** All that the product knows of one engine: a row of the table in engines.ts. */
export interface EngineRow {
  /** What computes: `oneDNN`. */
  readonly title: string;
  /** When to choose it, for docs/engines.md. */
  readonly choose: string;
  /** What has to be there, by kind of device, for docs/engines.md. */
  readonly needs: Partial<Record<DeviceKind, string>>;
  /** What installs it, and what that gives, for those who run without it. */
  readonly setup?: { readonly command: string; readonly gives: string };
  /** Whether `auto` may take it, in the order of the table. */
  readonly automatic: boolean;
  /** Whether its native library can be given by path (`ONEDNN_LIBRARY`). */
  readonly takesLibrary: boolean;
  /** The forward engine; `load` imports its runtime and returns its factory. */
  readonly serving: {
    readonly support: Support;
    readonly outputs: readonly Output[];
    readonly load: () => Promise<(options: EngineOptions) => Promise<Engine>>;
  };
  /** The training step, if it trains. */
  readonly training?: {
    readonly support: Support;
    readonly load: () => Promise<(options: TrainingStepOptions) => Promise<LocalTrainingStep>>;
  };
}

export type EngineTable<Name extends string> = Readonly<Record<Name, EngineRow>>;
