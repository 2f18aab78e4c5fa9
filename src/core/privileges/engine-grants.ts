import { programVariables } from "./guard-grants.ts";
import type { Grant } from "./privilege.ts";

/**
 * Variables by which clients of Docker, Podman and BuildKit find their engine. DOCKER_CONTEXT is none of them: what it
 * names lies in a file, and that file has to be mounted.
 */
export const engineVariables = ["DOCKER_HOST", "CONTAINER_HOST", "BUILDKIT_HOST"] as const;

/** All variables of a container that the rules read. */
export const readVariables = [...engineVariables, ...programVariables, "KUBECONFIG"] as const;

/** What a container knows of where an engine is. */
export interface EngineAccess {
  readonly variables: Readonly<Record<string, string>>;
  /** Names that `extra_hosts` turns into addresses, in lower case: they win over those of services. */
  readonly hosts: readonly string[];
  /** Names by which the services of the stack are reached, in lower case. */
  readonly peers: readonly string[];
}

/** Sockets and programs inside the container: mounts and other variables decide what they reach. */
const localScheme = /^(unix|npipe|fd|docker-container|podman-container|nerdctl-container|kube-pod):/i;
/** Names that never lead to a service, even if one is called so. An address does not, in any of its spellings. */
const hostName = /^(localhost|host\.docker\.internal|gateway\.docker\.internal|host\.containers\.internal)$/;
const address = /^((0x[0-9a-f]+|\d+)(\.(0x[0-9a-f]+|\d+))*|.*:.*)$/;

/**
 * An engine reached over the network. Behind a service of the stack it is listed: that service shows what it holds. Any
 * other is taken for the host's, because nothing else says whose it is.
 */
export function engineGrants({ variables, hosts, peers }: EngineAccess): Grant[] {
  return engineVariables.flatMap((variable): Grant[] => {
    const value = variables[variable]?.trim() ?? "";
    if (value === "" || value.startsWith("/") || localScheme.test(value)) return [];
    const [, scheme = "", host = "", port = ""] =
      /^([a-z][a-z0-9+.-]*:\/\/)?(?:[^@/]*@)?(\[[^\]]*\]|[^:/?#]*)(:\d+)?/i.exec(value) ?? [];
    const name = host.replace(/^\[|\]$/g, "").toLowerCase();
    const isService = peers.includes(name) && !hosts.includes(name) && !hostName.test(name) && !address.test(name);
    const detail = `${variable} ${scheme.toLowerCase()}${host}${port}`;
    return [{ kind: "runtime-socket", detail, ...(isService ? {} : { consent: "host-root" }) }];
  });
}

/** Where in the container the engine's socket is: what is mounted there is one, whatever the host calls it. */
export function engineSockets(variables: Readonly<Record<string, string>>): string[] {
  return engineVariables.flatMap(
    (variable) => /^(?:unix:(?:\/\/)?)?(\/.*)$/i.exec(variables[variable]?.trim() ?? "")?.[1] ?? [],
  );
}

/** The name in a line of `extra_hosts`, which stands before a `=` or a `:`. */
export function extraHostName(line: string): string {
  return line.split(/[=:]/, 1)[0]?.toLowerCase() ?? line;
}
