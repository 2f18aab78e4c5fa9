import type { DaemonWorld } from "../support/recording-daemon.ts";
import { containedBody } from "./policy.ts";
import type { Named, World } from "./world.ts";

/** The invented world as a daemon without an engine would tell of it. */
export function daemonWorld(world: World): DaemonWorld {
  const { image, foreignImage, mine, foreign } = world;
  const ours = inspected(world, mine, image, { "sandbox-deploy.guard": `escape-${world.run}` });
  const theirs = inspected(world, foreign, foreignImage, { owner: world.canary });
  return {
    apiVersion: "1.41",
    images: { ...byEveryName(image.reference, image.id), ...byEveryName(foreignImage.reference, foreignImage.id) },
    containers: { ...containerNames(mine, ours), ...containerNames(foreign, theirs) },
    execs: { [world.foreignExec]: foreign.id },
  };
}

function byEveryName(reference: string, id: string): Record<string, string> {
  const digits = id.slice("sha256:".length);
  return { [reference]: id, [id]: id, [digits]: id, [digits.slice(0, 12)]: id };
}

function containerNames({ name, id }: Named, value: unknown): Record<string, unknown> {
  return { [name]: value, [id]: value, [id.slice(0, 12)]: value };
}

/** What an engine says of a container that was made by the guard's own body; that of others differs in its label only. */
function inspected(world: World, { name, id }: Named, image: World["image"], labels: Record<string, string>): unknown {
  const { HostConfig: host } = containedBody(world);
  return {
    Id: id,
    Name: `/${name}`,
    Image: image.id,
    State: { Running: true },
    Config: { Image: image.reference, User: "", Labels: labels, Env: [`SECRET=${world.canary}`] },
    HostConfig: { ...Object(host), MaskedPaths: ["/proc/kcore"], ReadonlyPaths: ["/proc/sys"], Runtime: "runc" },
    NetworkSettings: { Networks: { [world.network.name]: {} } },
  };
}
