import type { DeployConfig } from "../config/config.ts";

/**
 * The one URL under which people reach the stack, without a slash at the end: `https://` and the domain where TLS is on,
 * else plain HTTP at BIND_HOST and PORT. `env` holds the values that Compose reads, the shell's before those of the file.
 */
export function publicUrl(config: Pick<DeployConfig, "public">, env: ReadonlyMap<string, string>): string {
  const { tls, domain } = config.public;
  if (tls !== "off" && domain !== undefined) return `https://${domain}`;
  const port = env.get("PORT") || "2026";
  return `http://${reachableHost(env.get("BIND_HOST") || "127.0.0.1")}${port === "80" ? "" : `:${port}`}`;
}

/** A host as it stands in a URL; a wildcard address cannot be connected to by name everywhere, and loopback is always part of it. */
export function reachableHost(hostIp: string | undefined): string {
  switch (hostIp) {
    case undefined:
    case "":
    case "0.0.0.0":
    case "*":
      return "127.0.0.1";
    case "::":
    case "[::]":
      return "[::1]";
    default:
      return hostIp.includes(":") && !hostIp.startsWith("[") ? `[${hostIp}]` : hostIp;
  }
}
