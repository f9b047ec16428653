import { VerydeepError } from '../errors.ts';
import type { Deployment } from './deployment.ts';

/** Names a version of an ensemble: `demo`, and `3` or a version label (`stable`). */
export interface DeploymentReference {
  readonly ensemble: string;
  readonly version: string;
}

/** What every front end is given: all versions that are served. */
export interface Serving {
  /**
   * The deployment that answers a request which names none. A request, with all its images, and a stream ask once, when
   * they begin: no answer mixes two versions. Throws NOT_READY if there is none.
   */
  current(): Deployment;
  /** By its version's number, or by a version label. */
  find(reference: DeploymentReference): Deployment | undefined;
  /** In the order in which they came. */
  deployments(): readonly Deployment[];
  /** Whether a request that names no deployment is answered now. */
  isReady(): boolean;
}

/** {@link Serving} for those who fill it. */
export interface Registry extends Serving {
  /** A version label that another version of the ensemble had is this one's from now on. */
  add(deployment: Deployment, versionLabels: readonly string[]): void;
  /** Stops all deployments; see {@link Deployment}. */
  stop(): void;
  /** Disposes of all deployments; see {@link Deployment}. */
  dispose(): Promise<void>;
}

/** An empty registry. `byDefault` is what answers requests that name no deployment. */
export function createRegistry(byDefault: DeploymentReference): Registry {
  const deployments: Deployment[] = [];
  /** By `name@label`. */
  const labelled = new Map<string, Deployment>();
  const keyOf = ({ ensemble, version }: DeploymentReference): string => `${ensemble}@${version}`;

  const find = (reference: DeploymentReference): Deployment | undefined =>
    labelled.get(keyOf(reference)) ??
    deployments.find(
      ({ ensemble: { name, version } }) => keyOf({ ensemble: name, version }) === keyOf(reference),
    );

  return {
    current() {
      const deployment = find(byDefault);
      if (!deployment) throw new VerydeepError('NOT_READY', `${keyOf(byDefault)} is not loaded`);
      return deployment;
    },
    find,
    deployments: () => deployments,
    isReady: () => find(byDefault)?.isReady() === true,
    add(deployment, versionLabels) {
      const ensemble = deployment.ensemble.name;
      deployments.push(deployment);
      for (const version of versionLabels) labelled.set(keyOf({ ensemble, version }), deployment);
    },
    stop() {
      for (const deployment of deployments) deployment.stop();
    },
    async dispose() {
      await Promise.all(deployments.map((deployment) => deployment.dispose()));
    },
  };
}
