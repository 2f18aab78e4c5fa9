import type { DeployConfig } from "../config/config.ts";
import type { Container } from "../containers/container.ts";
import type { PortBinding } from "../privileges/grant-rules.ts";
import type { ComposeModel } from "../stack/model.ts";
import { reachableHost } from "./public-url.ts";

/** Where a front door with TLS listens, as this machine reaches it. */
export interface TlsAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** The address of a front door with TLS; undefined where the stack has none, or its proxy publishes no HTTPS. */
export function tlsAddressOf(model: ComposeModel, config: DeployConfig): TlsAddress | undefined {
  return tlsAddressIn(model.services[config.compose.proxy]?.ports ?? [], config);
}

/** The same, by the ports that the proxy publishes. */
export function tlsAddressIn(ports: readonly PortBinding[], config: DeployConfig): TlsAddress | undefined {
  const { tls, domain } = config.public;
  if (tls === "off" || domain === undefined) return undefined;
  // Somebody else's proxy has it on a port of its own choice.
  const isHttps = (target: number | string | undefined) => config.compose.base !== undefined || target === httpsTarget;
  const port = ports.find(
    ({ protocol, published, target }) => protocol === "tcp" && published === "443" && isHttps(target),
  );
  return port && { name: domain, host: reachableHost(port.hostIp).replace(/^\[|\]$/g, ""), port: 443 };
}

/** The port of the default stack's proxy on which HTTPS ends. */
export const httpsTarget = 8443;

/** The URL under which the proxy's published port is reached from this machine; undefined when it publishes none that is fixed. */
export function frontDoorOf(model: ComposeModel, config: DeployConfig): string | undefined {
  const address = tlsAddressOf(model, config);
  if (address !== undefined) return `https://${address.name}`;
  return plainDoorIn(model.services[config.compose.proxy]?.ports ?? []);
}

/** The same for a port that the engine chose (`PORT=0`, or a range), as the running proxy has it. */
export function liveDoorOf(containers: readonly Container[], config: DeployConfig): string | undefined {
  const proxies = containers.filter(({ service }) => service === config.compose.proxy);
  return plainDoorIn(proxies.flatMap(({ openPorts }) => openPorts));
}

function plainDoorIn(ports: readonly PortBinding[]): string | undefined {
  const port = ports.find(({ protocol, published }) => protocol === "tcp" && /^[1-9]\d*$/.test(published ?? ""));
  return port && `http://${reachableHost(port.hostIp)}:${port.published}`;
}
