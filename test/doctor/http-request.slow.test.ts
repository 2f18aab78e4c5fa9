import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { httpRequest } from "../../src/shell/network/http-request.ts";
import { makeCertificate } from "../support/certificates.ts";

const servers: Server[] = [];
const { signal } = new AbortController();
let folder: string;
let ca: string;
let secure: number;
let proxy: number;
/** What the proxy was asked, each with the login that came with it. */
const asked: string[] = [];

async function listen<S extends Server>(server: S): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

const echo: RequestListener = async (incoming, response) => {
  let body = "";
  for await (const chunk of incoming) body += chunk;
  response.end(`${incoming.method} ${incoming.url} ${incoming.headers.authorization ?? ""} ${body}`);
};

const login = ({ headers }: IncomingMessage) => {
  const [, pair = ""] = (headers["proxy-authorization"] ?? "").split(" ");
  return Buffer.from(pair, "base64").toString();
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "deploy-http-"));
  await makeCertificate(folder, "api", { names: ["localhost", "api.example"] });
  const [cert, key] = await Promise.all(["api.pem", "api.key"].map((name) => readFile(join(folder, name), "utf8")));
  ca = cert ?? "";
  secure = await listen(createSecureServer({ cert, key }, echo));
  const door = createServer((incoming, response) => {
    asked.push(`${incoming.url} ${login(incoming)}`);
    response.end("by the proxy");
  });
  door.on("connect", (incoming, socket) => {
    asked.push(`${incoming.url} ${login(incoming)}`);
    if (login(incoming) === "") return socket.end("HTTP/1.1 407 No\r\n\r\n");
    const onward = connect(secure, "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    socket.on("error", () => onward.destroy());
    onward.on("error", () => socket.destroy());
    return socket.pipe(onward).pipe(socket);
  });
  proxy = await listen(door);
});
afterAll(async () => {
  for (const server of servers) {
    if ("closeAllConnections" in server && typeof server.closeAllConnections === "function")
      server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

test("a server is believed by its own authority, and by no other", async () => {
  const url = `https://localhost:${secure}/version`;
  const answer = await httpRequest({ url, address: "127.0.0.1", tls: { ca } }, signal);
  expect(answer).toMatchObject({ ok: true, status: 200, body: "GET /version  ", date: expect.stringContaining("GMT") });
  const doubted = await httpRequest({ url, address: "127.0.0.1" }, signal);
  expect(doubted).toMatchObject({ ok: false, reason: expect.stringMatching(/self-signed|certificate/) });
});

test("a name that was looked up already is not looked up again", async () => {
  const url = `https://api.example:${secure}/`;
  expect(await httpRequest({ url, address: "127.0.0.1", tls: { ca } }, signal)).toMatchObject({ ok: true });
});

test("a document is sent as it is, with what is to be said beside it", async () => {
  const request = { url: `https://localhost:${secure}/x`, json: { a: 1 }, headers: { Authorization: "Bearer b" } };
  const answer = await httpRequest({ ...request, address: "127.0.0.1", tls: { ca } }, signal);
  expect(answer).toMatchObject({ body: 'POST /x Bearer b {"a":1}' });
});

test("a proxy is gone through, with its login, to a server that is still believed by its own authority", async () => {
  const through = (user: string) => `http://${user}127.0.0.1:${proxy}`;
  const request = { url: `https://api.example:${secure}/v2/`, tls: { ca } };
  expect(await httpRequest({ ...request, proxy: through("ann:b%40d@") }, signal)).toMatchObject({ status: 200 });
  expect(asked.at(-1)).toBe(`api.example:${secure} ann:b@d`);
  const refused = await httpRequest({ ...request, proxy: through("") }, signal);
  expect(refused).toEqual({ ok: false, reason: "the proxy answers with status 407" });
  const plain = await httpRequest({ url: "http://far.example/v2/", proxy: through("") }, signal);
  expect(plain).toMatchObject({ body: "by the proxy" });
  expect(asked.at(-1)).toBe("http://far.example/v2/ ");
});

test("what nobody answers is a reason, and what is given up ends", async () => {
  const closed = await httpRequest({ url: "http://127.0.0.1:1/" }, signal);
  expect(closed).toMatchObject({ ok: false, reason: expect.stringContaining("ECONNREFUSED") });
  const silent = await listen(createServer(() => undefined));
  const end = new AbortController();
  const given = httpRequest({ url: `http://127.0.0.1:${silent}/` }, end.signal);
  end.abort();
  expect(await given).toMatchObject({ ok: false });
});
