import type { Grant } from "./privilege.ts";

const hostNames = [
  "host.docker.internal",
  "gateway.docker.internal",
  "host.containers.internal",
  "172.17.0.1",
  "localhost",
  "127.0.0.1",
  "::1",
];

/** A runtime reached over the network: on the host it equals the socket, elsewhere (a proxy, say) it is listed. */
export function dockerHostGrants(dockerHost: string | undefined, hostAliases: readonly string[]): Grant[] {
  const [, scheme, host = "", port] =
    /^(tcp|https?|ssh):\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d+))?/i.exec(dockerHost?.trim() ?? "") ?? [];
  if (scheme === undefined) return [];
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  const reachesHost = [...hostNames, ...hostAliases].includes(name);
  const detail = `DOCKER_HOST ${scheme.toLowerCase()}://${host}${port === undefined ? "" : `:${port}`}`;
  return [{ kind: "runtime-socket", detail, ...(reachesHost ? { consent: "host-root" } : {}) }];
}
