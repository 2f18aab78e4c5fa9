import type { Container } from "../../core/containers/container.ts";
import type { BusyPort } from "../../core/plan/facts.ts";
import type { ComposeModel } from "../../core/stack/model.ts";
import { isPublishable } from "../../core/stack/published-ports.ts";
import type { World } from "../../world.ts";
import { docker } from "../engine/engine.ts";

/** Ports that the stack will publish and that something outside this project holds already. */
export async function busyPorts(
  world: World,
  model: ComposeModel,
  excluded: readonly string[],
  containers: readonly Container[],
): Promise<BusyPort[]> {
  const mine = containers
    // One that is paused keeps its ports.
    .filter(({ state }) => ["running", "paused"].includes(state.status))
    .flatMap(({ openPorts }) => openPorts)
    .map(({ hostIp, published }) => ({ address: hostIp ?? "", port: Number(published) }));
  const wanted = Object.entries(model.services)
    .filter(([service]) => !excluded.includes(service))
    .flatMap(([service, { ports }]) =>
      ports
        .filter(({ protocol, published = "" }) => protocol === "tcp" && isPublishable(published))
        .map(({ hostIp, published }) => ({ service, address: hostIp || "0.0.0.0", port: Number(published) })),
    )
    .filter(({ port }) => Number.isInteger(port) && port > 0)
    .filter((each) => !mine.some((own) => own.port === each.port && overlap(own.address, each.address)));
  const states = await Promise.all(wanted.map(({ address, port }) => world.portState(address, port)));
  const busy = wanted.flatMap((each, index) => {
    const state = states[index];
    return state && !state.free ? [{ ...each, owner: state.owner }] : [];
  });
  return Promise.all(
    busy.map(async (each) => ({ ...each, owner: (await containerPublishing(world, each.port)) ?? each.owner })),
  );
}

const everyAddress = ["", "0.0.0.0", "::"];

/** Whether who listens on one address may be what keeps another from it. */
function overlap(own: string, wanted: string): boolean {
  return own === wanted || [own, wanted].some((address) => everyAddress.includes(address));
}

async function containerPublishing(world: World, port: number): Promise<string | undefined> {
  const { stdout } = await docker(world, ["ps", "--filter", `publish=${port}`, "--format", "{{.Names}}"]);
  const name = stdout.split("\n")[0];
  return name ? `the container ${name}` : undefined;
}
