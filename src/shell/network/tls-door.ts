import type { RequestOptions } from "node:https";
import type { Socket } from "node:net";
import { checkServerIdentity, rootCertificates, TLSSocket } from "node:tls";
import type { TlsDoor } from "../../world.ts";

/** How a request reaches a front door with TLS by its own address, and asks there for its name. */
export function doorOptions(door: TlsDoor | undefined): RequestOptions {
  if (door === undefined) return {};
  const { host, port, name, trust } = door;
  return {
    ...{ hostname: host, port, servername: name, headers: { host: name } },
    ...(trust.kind === "authorities"
      ? { ca: trust.roots === "" ? [...rootCertificates] : [trust.roots, ...rootCertificates] }
      : { rejectUnauthorized: false }),
  };
}

/** Why the one who answers is not believed, where no authority was asked; undefined for whom it is. */
export function doubtOf(door: TlsDoor | undefined, socket: Socket): string | undefined {
  if (door === undefined || door.trust.kind === "authorities") return undefined;
  if (!(socket instanceof TLSSocket)) return "it answers without TLS";
  const certificate = socket.getPeerCertificate();
  if (door.trust.kind === "certificate")
    return certificate.fingerprint256 === door.trust.fingerprint
      ? undefined
      : "it shows another certificate than the one that was given to it";
  return checkServerIdentity(door.name, certificate)?.message;
}
