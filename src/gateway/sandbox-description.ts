import { connect } from "node:net";
import { type DockerAddress, dockerAddressText } from "./docker-address.ts";
import type { Provider } from "./provider.ts";
import type { Mode } from "./run.ts";
import type { Settings } from "./settings.ts";

/** The answer to `GET /api/sandbox`: where code runs, behind what, and what this gateway could reach itself. */
export interface SandboxDescription {
  readonly mode: Mode;
  /** The file and values that the mode follows from. */
  readonly because: string;
  readonly isolation: string;
  readonly canRun: boolean;
  /** Why no code can run now; null when it can. */
  readonly reason: string | null;
  readonly network: string;
  readonly limits: Readonly<Record<string, string | number>>;
  /** What the gateway's container holds. Found by trying, not read from a configuration. */
  readonly holds: { readonly dockerSocket: DockerReach };
}

/** Whether something that answers like a Docker engine can be reached. */
export interface DockerReach {
  readonly reachable: boolean;
  readonly address: string;
}

const usualSocket: DockerAddress = { kind: "unix", socketPath: "/var/run/docker.sock" };
const attemptMs = 2_000;

/** Describes the sandbox as it is at this moment. */
export async function describeSandbox(settings: Settings, provider: Provider): Promise<SandboxDescription> {
  const [readiness, dockerSocket] = await Promise.all([provider.readiness(), reachDocker(settings.docker)]);
  return {
    mode: provider.mode,
    because: settings.sandbox.because,
    isolation: provider.isolation,
    canRun: readiness.canRun,
    reason: readiness.canRun ? null : readiness.reason,
    network: provider.network,
    limits: { ...provider.limits, ...settings.limits, requestsPerMinute: settings.rateLimitPerMinute },
    holds: { dockerSocket },
  };
}

// Without DOCKER_HOST the usual place is tried: a socket mounted by mistake is what an operator must hear of.
async function reachDocker(configured: DockerAddress | undefined): Promise<DockerReach> {
  const address = configured ?? usualSocket;
  return { reachable: await accepts(address), address: dockerAddressText(address) };
}

function accepts(address: DockerAddress): Promise<boolean> {
  const target = address.kind === "unix" ? { path: address.socketPath } : { host: address.host, port: address.port };
  return new Promise((resolve) => {
    const socket = connect(target);
    const settle = (reachable: boolean): void => {
      socket.destroy();
      resolve(reachable);
    };
    socket.setTimeout(attemptMs, () => settle(false));
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
