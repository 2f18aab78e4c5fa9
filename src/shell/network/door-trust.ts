import type { DeployConfig } from "../../core/config/config.ts";
import type { Container } from "../../core/containers/container.ts";
import type { TlsAddress } from "../../core/public/front-door.ts";
import { type Issuance, issuanceIn } from "../../core/public/issuance.ts";
import { joinPath, resolvePath, type Territory } from "../../core/stack/stack.ts";
import type { DoorTrust, TlsDoor, World } from "../../world.ts";
import { docker } from "../engine/engine.ts";
import { readCertificates } from "./certificates.ts";

/** The running container of the proxy. */
export function proxyContainer({ compose }: DeployConfig, containers: readonly Container[]): Container | undefined {
  return containers.find(({ service, state }) => service === compose.proxy && state.running);
}

/** Where the front door is and whom to believe there; undefined while nobody can be believed yet. */
export async function readDoor(
  world: World,
  config: DeployConfig,
  territory: Territory,
  address: TlsAddress,
  containers: readonly Container[],
): Promise<TlsDoor | undefined> {
  const trust = await readTrust(world, config, territory, containers);
  return trust && { ...address, trust };
}

async function readTrust(
  world: World,
  config: DeployConfig,
  territory: Territory,
  containers: readonly Container[],
): Promise<DoorTrust | undefined> {
  const { tls, acme } = config.public;
  const isForeign = config.compose.base !== undefined;
  switch (tls) {
    case "off":
      return undefined;
    case "internal": {
      // Somebody else's CA is known to nobody here.
      if (isForeign) return { kind: "name" };
      const roots = await readInternalRoot(world, config, containers);
      return roots === undefined ? undefined : { kind: "authorities", roots };
    }
    case "acme": {
      if (acme.staging) return { kind: "name" };
      const path = acme.root === undefined ? undefined : resolvePath(territory.root, world.home, acme.root);
      return { kind: "authorities", roots: (path === undefined ? "" : await world.files.read(path)) ?? "" };
    }
    case "files": {
      if (isForeign) return { kind: "name" };
      const text = await world.files.read(joinPath(territory.secretsPath, "tls_certificate"));
      const [leaf] = readCertificates(text ?? "");
      return leaf && { kind: "certificate", fingerprint: leaf.fingerprint256 };
    }
  }
}

const rootPath = "/data/caddy/pki/authorities/local/root.crt";

/** The root of the stack's own CA, in PEM, from the proxy's volume; undefined while there is none. */
export async function readInternalRoot(
  world: World,
  config: DeployConfig,
  containers: readonly Container[],
): Promise<string | undefined> {
  const proxy = proxyContainer(config, containers);
  if (proxy === undefined) return undefined;
  const { exitCode, stdout } = await docker(world, ["exec", proxy.id, "cat", rootPath]);
  return exitCode === 0 && readCertificates(stdout).length > 0 ? stdout : undefined;
}

/** Why the proxy has no certificate, where it says so. */
export async function readFailure(
  world: World,
  config: DeployConfig,
  domain: string,
  containers: readonly Container[],
): Promise<string | undefined> {
  const issuance = await readIssuance(world, config, domain, containers);
  return issuance.kind === "failing" ? issuance.reason : undefined;
}

/** What the proxy says about fetching its certificate. */
export async function readIssuance(
  world: World,
  config: DeployConfig,
  domain: string,
  containers: readonly Container[],
): Promise<Issuance> {
  const proxy = proxyContainer(config, containers);
  if (proxy === undefined) return { kind: "silent" };
  const { stdout, stderr } = await docker(world, ["logs", "--tail", "2000", proxy.id]);
  return issuanceIn(`${stdout}\n${stderr}`, domain);
}
