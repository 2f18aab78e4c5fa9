import { request as plainRequest } from "node:http";
import { type RequestOptions, request } from "node:https";
import { connect, type SecureVersion } from "node:tls";

/** Where a front door listens, under which name, and whom to believe there. */
export interface Door {
  readonly address: string;
  readonly name: string;
  readonly ca: string;
}

/** An answer, whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** Asks a front door over HTTP/1.1, with a connection of its own. */
export function ask(
  { address, name, ca }: Door,
  path: string,
  options: RequestOptions & { body?: Buffer } = {},
): Promise<Answer> {
  const { body, headers, ...more } = options;
  return new Promise((resolve, reject) => {
    const target = {
      hostname: address,
      port: 443,
      servername: name,
      ca,
      path,
      headers: { host: name, ...headers },
      agent: false as const,
    };
    const asked = request({ ...target, ...more }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      response.on("error", reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

/** Asks port 80, under any name. */
export function askPlain(address: string, host: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    plainRequest({ hostname: address, port: 80, path, headers: { host }, agent: false }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: "" });
    })
      .on("error", reject)
      .end();
  });
}

/** What a handshake was agreed on, or why there was none. */
export function shake(
  { address, name, ca }: Door,
  options: { min?: SecureVersion; max?: SecureVersion; ciphers?: string } = {},
): Promise<{ protocol: string | null; suite: string } | { refused: string }> {
  const { min = "TLSv1.2", max = "TLSv1.3", ciphers } = options;
  return new Promise((resolve) => {
    const socket = connect({
      ...{ host: address, port: 443, servername: name, ca, minVersion: min, maxVersion: max },
      ...(ciphers === undefined ? {} : { ciphers }),
    });
    socket.once("secureConnect", () => {
      resolve({ protocol: socket.getProtocol(), suite: socket.getCipher().standardName });
      socket.destroy();
    });
    socket.once("error", (error) => resolve({ refused: error.message }));
  });
}

/** The certificate that a front door shows, by its SHA-256; undefined while it shows none that is believed. */
export function fingerprintAt({ address, name, ca }: Door): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 443, servername: name, ca });
    socket.once("secureConnect", () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once("error", () => resolve(undefined));
  });
}

/** Every suite of one version that a front door takes. */
export async function suitesOf(
  door: Door,
  version: "TLSv1.2" | "TLSv1.3",
  candidates: readonly string[],
): Promise<string[]> {
  const shaken = await Promise.all(
    // Level 0 lets this side offer what is too weak for it otherwise.
    candidates.map((each) =>
      shake(door, { min: version, max: version, ciphers: version === "TLSv1.3" ? each : `${each}:@SECLEVEL=0` }),
    ),
  );
  return candidates.filter((_, index) => {
    const found = shaken[index];
    return found !== undefined && "suite" in found;
  });
}
