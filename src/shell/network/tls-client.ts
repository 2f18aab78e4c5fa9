import { X509Certificate } from "node:crypto";
import { checkServerIdentity, connect, type DetailedPeerCertificate, rootCertificates, type TLSSocket } from "node:tls";
import type { DeployConfig } from "../../core/config/config.ts";
import type { Container } from "../../core/containers/container.ts";
import { type DoorReport, type DoorSight, distrustText } from "../../core/public/door-report.ts";
import { tlsAddressIn } from "../../core/public/front-door.ts";
import type { Territory } from "../../core/stack/stack.ts";
import type { TlsDoor, World } from "../../world.ts";
import { certificateOf } from "./certificates.ts";
import { proxyContainer, readDoor, readIssuance } from "./door-trust.ts";

const timeoutMilliseconds = 5000;

/** Looks at the running front door as a client does; undefined where the stack has none with TLS. */
export async function readDoorReport(
  world: World,
  config: DeployConfig,
  territory: Territory,
  containers: readonly Container[],
): Promise<DoorReport | undefined> {
  const { tls: kind, domain } = config.public;
  const isForeign = config.compose.base !== undefined;
  if (kind === "off" || domain === undefined) return undefined;
  const proxy = proxyContainer(config, containers);
  const address = tlsAddressIn(proxy?.ports ?? [], config);
  // TLS may end before that stack.
  if (address === undefined && isForeign) return undefined;
  if (address === undefined) {
    const reason =
      proxy === undefined ? "the proxy does not run" : "the proxy that runs publishes no HTTPS: run ./deploy up";
    return { kind, domain, isForeign, address: "443", seen: { ok: false, reason }, issuance: { kind: "silent" } };
  }
  const [door, issuance] = await Promise.all([
    readDoor(world, config, territory, address, containers),
    readIssuance(world, config, domain, containers),
  ]);
  const seen = await lookAt(door ?? { ...address, trust: { kind: "authorities", roots: "" } }, world.signal);
  const { host, port } = address;
  return { kind, domain, isForeign, address: `${host.includes(":") ? `[${host}]` : host}:${port}`, seen, issuance };
}

/** Connects once and asks for the headers of the front page. */
async function lookAt(door: TlsDoor, signal: AbortSignal): Promise<DoorSight> {
  const hello = handshake(door, signal);
  const [seen, hsts] = await Promise.all([hello, headerOf(door, signal)]);
  return seen.ok && hsts !== undefined ? { ...seen, hsts } : seen;
}

function handshake({ host, port, name, trust }: TlsDoor, signal: AbortSignal): Promise<DoorSight> {
  return new Promise((resolve) => {
    const ca =
      trust.kind === "authorities" && trust.roots !== "" ? [trust.roots, ...rootCertificates] : [...rootCertificates];
    const socket = connect({
      host,
      port,
      servername: name,
      ca,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2", "http/1.1"],
    });
    const end = (sight: DoorSight) => {
      signal.removeEventListener("abort", stop);
      socket.destroy();
      resolve(sight);
    };
    const stop = () => end({ ok: false, reason: "interrupted" });
    signal.addEventListener("abort", stop);
    socket.setTimeout(timeoutMilliseconds, () =>
      end({ ok: false, reason: `no answer within ${timeoutMilliseconds / 1000} seconds` }),
    );
    socket.once("error", (error) => end({ ok: false, reason: error.message }));
    socket.once("secureConnect", () => end(sightOf(socket, name, trust)));
  });
}

function sightOf(socket: TLSSocket, name: string, trust: TlsDoor["trust"]): DoorSight {
  const peer = socket.getPeerCertificate(true);
  const wrongName = checkServerIdentity(name, peer)?.message;
  const untrusted =
    trust.kind === "authorities" && !socket.authorized ? distrustText(String(socket.authorizationError)) : undefined;
  const distrust = wrongName ?? untrusted;
  return {
    ok: true,
    protocol: socket.getProtocol() ?? "unknown",
    application: socket.alpnProtocol || "http/1.1",
    suite: socket.getCipher().standardName,
    chain: chainOf(peer).map((raw) => certificateOf(new X509Certificate(raw))),
    ...(distrust === undefined ? {} : { distrust }),
    ...(trust.kind === "certificate" ? { expected: trust.fingerprint } : {}),
  };
}

/** Node ends a chain with a certificate that is its own issuer. */
function chainOf(peer: DetailedPeerCertificate): Buffer[] {
  const chain: Buffer[] = [];
  for (let each = peer; each?.raw && !chain.some((raw) => raw.equals(each.raw)); each = each.issuerCertificate)
    chain.push(each.raw);
  return chain;
}

async function headerOf({ host, port, name }: TlsDoor, signal: AbortSignal): Promise<string | undefined> {
  const { request } = await import("node:https");
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMilliseconds)]);
  return new Promise((resolve) => {
    const headers = { host: name };
    const options = { hostname: host, port, servername: name, headers, method: "HEAD", agent: false as const };
    // Whether it is trusted is not asked here, and nothing secret is sent.
    const asked = request({ ...options, path: "/", rejectUnauthorized: false, signal: deadline }, (response) => {
      resolve(response.headers["strict-transport-security"]);
      response.destroy();
    });
    asked.on("error", () => resolve(undefined));
    asked.end();
  });
}
