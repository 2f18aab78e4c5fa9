import type { IncomingMessage, RequestOptions } from "node:http";
import type { Duplex } from "node:stream";
import type { HttpAnswer, HttpRequest } from "../../world.ts";

const bodyLimitBytes = 64 * 1024;

/**
 * Asks a server once, through a proxy where one is named; every failure is a reason in words. Of the answer no more than its
 * first 64 KiB are waited for.
 */
export async function httpRequest(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  try {
    return await answerOf(await send(request, signal));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // When every address of a name fails, the message is empty and the code says it.
    return { ok: false, reason: error.message || ("code" in error ? String(error.code) : error.name) };
  }
}

async function send(request: HttpRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const { url, json, headers = {}, tls, proxy, address } = request;
  const target = new URL(url);
  const secure = target.protocol === "https:";
  const body = json === undefined ? undefined : JSON.stringify(json);
  const options: RequestOptions = {
    method: body === undefined ? "GET" : "POST",
    headers: { ...headers, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    agent: false,
    signal,
    ...(address === undefined ? {} : { lookup: answering(address) }),
  };
  if (proxy !== undefined && !secure) return plainThrough(new URL(proxy), target, options, body);
  if (!secure) return ended((await import("node:http")).request(target, options), body);
  const { request: requestSecurely } = await import("node:https");
  if (proxy === undefined) return ended(requestSecurely(target, { ...options, ...tls }), body);
  const socket = await tunnel(new URL(proxy), target, signal);
  const { connect } = await import("node:tls");
  const connection = () => connect({ ...tls, socket, servername: target.hostname });
  // With any agent, also with none, Node would make a connection of its own.
  const { agent: _none, ...direct } = options;
  return ended(requestSecurely(target, { ...direct, createConnection: connection }), body);
}

type Lookup = NonNullable<RequestOptions["lookup"]>;

/** The system's own lookup cannot be given up, and would keep this program from ending. */
function answering(address: string): Lookup {
  const family = address.includes(":") ? 6 : 4;
  return (_name, options, done) => (options.all ? done(null, [{ address, family }]) : done(null, address, family));
}

/** Plain requests name their whole target to the proxy. */
async function plainThrough(proxy: URL, target: URL, options: RequestOptions, body: string | undefined) {
  const { request } = await import("node:http");
  const headers = { ...options.headers, Host: target.host, ...credentials(proxy) };
  return ended(request(proxy, { ...options, path: target.href, headers }), body);
}

/** A way through the proxy on which the server itself is spoken to. */
async function tunnel(proxy: URL, target: URL, signal: AbortSignal): Promise<Duplex> {
  const { request } = await import("node:http");
  const path = `${target.hostname}:${target.port || 443}`;
  return new Promise((resolve, reject) => {
    const asked = request(proxy, {
      method: "CONNECT",
      path,
      headers: { Host: path, ...credentials(proxy) },
      agent: false,
      signal,
    });
    asked.on("connect", (response, socket) => {
      if (response.statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new Error(`the proxy answers with status ${response.statusCode}`));
    });
    asked.on("response", (response) => {
      response.destroy();
      reject(new Error(`the proxy answers with status ${response.statusCode}`));
    });
    asked.on("error", reject);
    asked.end();
  });
}

function credentials({ username, password }: URL): Record<string, string> {
  if (username === "") return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "Proxy-Authorization": `Basic ${Buffer.from(pair).toString("base64")}` };
}

type Request = ReturnType<typeof import("node:http").request>;

function ended(request: Request, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on("response", resolve);
    request.on("error", reject);
    request.end(body);
  });
}

function answerOf(response: IncomingMessage): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    let body = "";
    const { statusCode: status = 0, headers } = response;
    const answer = () => resolve({ ok: true, status, body, date: headers.date });
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      body += chunk;
      if (body.length < bodyLimitBytes) return;
      answer();
      response.destroy();
    });
    response.on("end", answer);
    response.on("error", reject);
  });
}
