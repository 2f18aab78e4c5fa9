import type { DeployConfig } from "./config.ts";
import type { ComposeModel } from "./model.ts";

/** The URL under which the proxy's published port is reached from this machine; undefined when it publishes none that is fixed. */
export function frontDoorOf(model: ComposeModel, config: DeployConfig): string | undefined {
  const port = model.services[config.compose.proxy]?.ports.find(
    ({ protocol, published }) => protocol === "tcp" && /^[1-9]\d*$/.test(published ?? ""),
  );
  return port ? `http://${reachable(port.hostIp)}:${port.published}` : undefined;
}

/** A wildcard address cannot be connected to by name everywhere; loopback is always part of it. */
function reachable(hostIp: string | undefined): string {
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
