import type { Container } from "../containers/container.ts";
import { isFinished } from "../containers/health.ts";
import type { ContainerShape, LastDeployment } from "../deployment/last-deployment.ts";
import { limitKeys, limitNames, limitText } from "../stack/limits.ts";
import { shortId } from "./drift.ts";

/** What somebody did to a container after the deployment. */
export interface HandChange {
  /** Left out where the container belongs to none. */
  readonly service?: string;
  readonly container: string;
  /** As what the container does or is: `is paused`. */
  readonly what: string;
  /** RFC 3339, where the engine knows it. */
  readonly since?: string;
}

/**
 * Everything that somebody did by hand to the containers of a project since its last deployment. Without one only what a
 * container shows by itself is known.
 */
export function handChanges(containers: readonly Container[], deployed: LastDeployment | undefined): HandChange[] {
  return containers.flatMap((container) => {
    const { service, name } = container;
    const found = [...added(container, deployed), ...stopped(container), ...reshaped(container, deployed)];
    return found.map((change) => ({ ...(service === undefined ? {} : { service }), container: name, ...change }));
  });
}

type Found = Pick<HandChange, "what" | "since">;

function added({ service, id, created }: Container, deployed: LastDeployment | undefined): Found[] {
  const when = created === "" ? {} : { since: wholeSeconds(created) };
  if (service === undefined) return [{ what: "belongs to no service", ...when }];
  if (deployed === undefined || deployed.shapes.length === 0) return [];
  if (!(service in deployed.hashes)) return [{ what: "belongs to no service of the last deployment", ...when }];
  return deployed.containers.includes(id) ? [] : [{ what: "is not the container that was deployed", ...when }];
}

function stopped(container: Container): Found[] {
  const { status, exitCode, finishedAt } = container.state;
  if (status === "paused") return [{ what: "is paused" }];
  if (status !== "exited" || isFinished(container)) return [];
  const when = /^(?:|0001.*)$/.test(finishedAt) ? {} : { since: wholeSeconds(finishedAt) };
  return [{ what: `is stopped (exit code ${exitCode})`, ...when }];
}

function reshaped(container: Container, deployed: LastDeployment | undefined): Found[] {
  const shape = deployed?.shapes.find(({ service }) => service === container.service);
  if (shape === undefined) return [];
  const limits = limitKeys.flatMap((key) => {
    const [was, is] = [shape.limits[key], container.limits[key]];
    return was === is ? [] : [`has the ${limitNames[key]} ${limitText(key, is)} instead of ${limitText(key, was)}`];
  });
  const image =
    shape.imageId === container.imageId
      ? []
      : [`runs the image ${shortId(container.imageId)} instead of ${shortId(shape.imageId)}`];
  const restart = container.access.RestartPolicy;
  const policy = shape.restart === restart ? [] : [`has the restart policy ${restart} instead of ${shape.restart}`];
  return [...image, ...limits, ...policy, ...networkChanges(container, shape)].map((what) => ({ what }));
}

function networkChanges({ networks }: Container, shape: ContainerShape): string[] {
  return [
    ...networks.filter((name) => !shape.networks.includes(name)).map((name) => `is on the network ${name} as well`),
    ...shape.networks.filter((name) => !networks.includes(name)).map((name) => `is no longer on the network ${name}`),
  ];
}

/** A change as people read it, without its service. */
export function handChangeText({ container, what, since }: HandChange): string {
  return `${container} ${what}${since === undefined ? "" : ` since ${since}`}`;
}

function wholeSeconds(time: string): string {
  return time.replace(/\.\d+/, "");
}
