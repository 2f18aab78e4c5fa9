import type { Container } from "../containers/container.ts";
import { type Limits, limitKeys } from "../stack/limits.ts";
import type { ComposeModel } from "../stack/model.ts";

/** What somebody can change on a container without making it anew, as a deployment left it. */
export interface ContainerShape {
  readonly service: string;
  readonly imageId: string;
  readonly limits: Limits;
  /** Names on the engine. */
  readonly networks: readonly string[];
  readonly restart: string;
}

/** A deployment that was verified, as it left the engine. */
export interface LastDeployment {
  /** RFC 3339. */
  readonly time: string;
  /** For a rollback, the deployment that runs again by it. */
  readonly of?: string;
  /** Ids of its containers. */
  readonly containers: readonly string[];
  /** Compose's hash of each service. */
  readonly hashes: Readonly<Record<string, string>>;
  /** One for each service; empty where an earlier version of this tool deployed. */
  readonly shapes: readonly ContainerShape[];
}

/** The shape of every service's container, for the receipt. */
export function containerShapes(containers: readonly Container[]): ContainerShape[] {
  return containers.flatMap(({ service, imageId, limits, networks, access }) =>
    service === undefined ? [] : [{ service, imageId, limits, networks, restart: access.RestartPolicy }],
  );
}

/** Limits that services have and their containers do not, and of those the ones that were missing after the deployment as well. */
export function missingLimits(
  model: ComposeModel,
  containers: readonly Container[],
  deployed: LastDeployment | undefined,
) {
  const missing = containers.flatMap(({ service = "", limits }) => {
    const wanted = model.services[service]?.settings.limits ?? {};
    return limitKeys
      .filter((key) => wanted[key] !== undefined && limits[key] === undefined)
      .map((key) => ({ service, key }));
  });
  const known = ({ service, key }: (typeof missing)[number]) => {
    const shape = deployed?.shapes.find((each) => each.service === service);
    return shape !== undefined && shape.limits[key] === undefined;
  };
  return { keys: [...new Set(missing.map(({ key }) => key))], isKnown: missing.every(known) };
}
