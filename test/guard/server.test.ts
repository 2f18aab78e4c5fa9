import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { ClientRequest } from "../../src/guard/decision/decision.ts";
import type { Decide } from "../../src/guard/engine/deciding.ts";
import { bodyLimitBytes } from "../../src/guard/request/body.ts";
import { listenOn } from "../../src/guard/serve/unix-socket.ts";
import { eventually } from "../support/command.ts";
import { denyAll, type GuardRig, passOn, type RigOptions, startRig } from "./support/guard-rig.ts";
import { exchangeRaw, openRaw } from "./support/raw-connection.ts";

let rig: GuardRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

async function start(options: RigOptions = {}): Promise<GuardRig> {
  rig = await startRig(options);
  return rig;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** Asks by Node's own client, one connection for each request. */
function ask(path: string, method: string, target: string, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": body.length };
    const sent = httpRequest({ socketPath: path, method, path: target, headers, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("error", reject);
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const head = (line: string, ...headers: string[]) => [line, "Host: docker", ...headers, "", ""].join("\r\n");

describe("one decision for every way in", () => {
  const upgrade = ["Connection: Upgrade", "Upgrade: tcp"];
  test.each([
    ["an ordinary request", head("GET /a HTTP/1.1", "Connection: close"), ["GET", "/a", ""]],
    [
      "a body of a given length",
      `${head("POST /b HTTP/1.1", "Content-Length: 4", "Connection: close")}abcd`,
      ["POST", "/b", "abcd"],
    ],
    [
      "a body in chunks",
      `${head("POST /b HTTP/1.1", "Transfer-Encoding: chunked", "Connection: close")}4\r\nabcd\r\n0\r\n\r\n`,
      ["POST", "/b", "abcd"],
    ],
    ["an upgrade", head("POST /c HTTP/1.1", ...upgrade), ["POST", "/c", ""]],
    ["an upgrade with a body", `${head("POST /c HTTP/1.1", ...upgrade, "Content-Length: 2")}{}`, ["POST", "/c", "{}"]],
    ["a CONNECT", head("CONNECT docker:80 HTTP/1.1"), ["CONNECT", "docker:80", ""]],
    [
      "one that waits for 100 Continue",
      head("POST /d HTTP/1.1", "Expect: 100-continue", "Content-Length: 2"),
      ["POST", "/d", ""],
    ],
    [
      "one that expects something else",
      head("POST /e HTTP/1.1", "Expect: gold", "Content-Length: 2"),
      ["POST", "/e", ""],
    ],
    ["a method that Docker does not have", head("OPTIONS * HTTP/1.1", "Connection: close"), ["OPTIONS", "*", ""]],
    ["an absolute target", head("GET http://docker/a HTTP/1.1", "Connection: close"), ["GET", "http://docker/a", ""]],
  ])("%s is decided about, and refused without a byte for the engine", async (_, bytes, [method, target, body]) => {
    const seen: ClientRequest[] = [];
    const { socketPath, daemon, audit } = await start({ decide: denyAll(seen, 400) });
    const answer = await exchangeRaw(socketPath, bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('{"message":"sandbox guard: no (rule test.deny)"}\n');
    expect(seen.map((each) => [each.method, each.target, Buffer.from(each.body).toString()])).toEqual([
      [method, target, body],
    ]);
    expect(daemon.requests).toEqual([]);
    expect(audit()).toMatchObject([
      { event: "done", decision: "deny", rule: "test.deny", status: 400, method, target },
    ]);
  });

  test("headers are decided about as they came: order, spelling, repetitions", async () => {
    const seen: ClientRequest[] = [];
    const { socketPath } = await start({ decide: denyAll(seen) });
    await exchangeRaw(socketPath, head("GET /a HTTP/1.1", "x-B: 1", "X-b: 2", "CONNECTION: close"));
    expect(seen[0]?.headers).toEqual([
      ["Host", "docker"],
      ["x-B", "1"],
      ["X-b", "2"],
      ["CONNECTION", "close"],
    ]);
  });

  test("no header is left out of the decision, however many there are", async () => {
    const seen: ClientRequest[] = [];
    const { socketPath } = await start({ decide: denyAll(seen) });
    const many = Array.from({ length: 2500 }, () => "a:");
    await exchangeRaw(socketPath, head("GET /a HTTP/1.1", ...many, "Last: yes", "Connection: close"));
    expect(seen[0]?.headers).toHaveLength(2503);
  });
});

describe("bytes that are no request", () => {
  test.each([
    ["two lengths", head("POST /a HTTP/1.1", "Content-Length: 2", "Content-Length: 3")],
    ["a length and chunks", head("POST /a HTTP/1.1", "Content-Length: 2", "Transfer-Encoding: chunked")],
    ["chunked that is not the last encoding", head("POST /a HTTP/1.1", "Transfer-Encoding: chunked, gzip")],
    ["a bare line feed", "GET /a HTTP/1.1\nHost: docker\n\n"],
    ["a bare line feed between headers", "GET /a HTTP/1.1\r\nHost: docker\nX: y\r\n\r\n"],
    ["a folded header", head("GET /a HTTP/1.1", "X: y", " folded: z")],
    ["a space before the colon", head("POST /a HTTP/1.1", "Transfer-Encoding : chunked")],
    ["a control character in a header", head("GET /a HTTP/1.1", "X: a\x00b")],
    ["a chunk size that is none", `${head("POST /a HTTP/1.1", "Transfer-Encoding: chunked")}zz\r\n`],
    ["no HTTP at all", "hello\r\n\r\n"],
    ["a TLS handshake", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ])("%s is answered with 400 and never decided about", async (_, bytes) => {
    const seen: ClientRequest[] = [];
    const { socketPath, daemon, audit } = await start({ decide: denyAll(seen) });
    expect(await exchangeRaw(socketPath, Buffer.from(bytes, "latin1"))).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(seen).toEqual([]);
    expect(daemon.requests).toEqual([]);
    expect(audit()).toMatchObject([{ decision: "deny", rule: "framing.malformed", status: 400 }]);
  });

  test.each(["HTTP/1.0", "HTTP/2.0"])("%s is not spoken", async (version) => {
    const { socketPath, daemon } = await start();
    expect(await exchangeRaw(socketPath, head(`GET /a ${version}`))).toMatch(/^HTTP\/1\.1 400 /);
    expect(daemon.requests).toEqual([]);
  });

  test("headers above 16 KiB are answered with 431", async () => {
    const { socketPath, audit } = await start();
    const answer = await exchangeRaw(socketPath, head("GET /a HTTP/1.1", `X: ${"y".repeat(20_000)}`));
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(audit()).toMatchObject([{ rule: "framing.header-size" }]);
  });

  test.each(["request", "upgrade"])("a body above the limit of a %s is refused before it is read", async (kind) => {
    const { socketPath, daemon, audit } = await start();
    const more = kind === "upgrade" ? ["Connection: Upgrade", "Upgrade: tcp"] : [];
    const answer = await exchangeRaw(socketPath, head("POST /a HTTP/1.1", "Content-Length: 99999999", ...more));
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(daemon.requests).toEqual([]);
    expect(audit()).toMatchObject([{ rule: "body.size", status: 413 }]);
  });

  test("a body in chunks is refused as soon as it is too long", async () => {
    const { socketPath, daemon } = await start();
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const answer = await exchangeRaw(
      socketPath,
      `${head("POST /a HTTP/1.1", "Transfer-Encoding: chunked")}${chunk.repeat(bodyLimitBytes("POST") / 0x10000 + 1)}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(daemon.requests).toEqual([]);
  });

  test("many long requests at once are refused before they fill the memory, and taken again when others are done", async () => {
    const policy = { connections: 100, operations: { ...everything, archive: true } };
    const { socketPath, audit } = await start({ policy, decide: denyAll() });
    const archive = bodyLimitBytes("PUT");
    const held = await openRaw(socketPath);
    held.socket.write(head("PUT /a HTTP/1.1", `Content-Length: ${archive}`));
    held.socket.write(Buffer.alloc(archive - 1));
    await new Promise<void>((resolve) => held.socket.once("drain", resolve));
    const put = `${head("PUT /b HTTP/1.1", `Content-Length: ${archive}`, "Connection: close")}`;
    const second = await openRaw(socketPath);
    second.socket.write(put);
    second.socket.write(Buffer.alloc(archive));
    await eventually(() => expect(audit()).toMatchObject([{ rule: "limit.bodies", status: 429 }]));
    second.socket.destroy();
    held.socket.destroy();
    await eventually(async () => {
      const answer = await exchangeRaw(socketPath, Buffer.concat([Buffer.from(put), Buffer.alloc(archive)]));
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    });
  });

  test.each(["request", "upgrade"])("the rest of a %s that does not arrive in time is not waited for", async (kind) => {
    const { socketPath, daemon, audit } = await start({ timeouts: { requestMs: 50 } });
    const more = kind === "upgrade" ? ["Connection: Upgrade", "Upgrade: tcp"] : [];
    const answer = await exchangeRaw(socketPath, `${head("POST /a HTTP/1.1", "Content-Length: 10", ...more)}abc`);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(daemon.requests).toEqual([]);
    expect(audit()).toMatchObject([{ rule: "body.timeout" }]);
  });
});

describe("what is sent to the engine", () => {
  test("is the decision's request under the guard's own headers, to the byte", async () => {
    const body = new Map([["A", "b"]]);
    const { socketPath, daemon } = await start({
      decide: () => ({
        kind: "forward",
        rule: "r",
        request: { method: "POST", target: "/v1.41/x?y=z", body, stream: "none" },
        notes: {},
      }),
    });
    await exchangeRaw(
      socketPath,
      head("GET /other HTTP/1.1", "X-Evil: 1", "X-Registry-Auth: x", "Cookie: c", "Connection: close"),
    );
    expect(daemon.forwarded().map(({ bytes }) => bytes)).toEqual([
      "POST /v1.41/x?y=z HTTP/1.1\r\nHost: docker\r\nUser-Agent: sandbox-deploy-guard\r\nConnection: close\r\n" +
        'Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"A":"b"}',
    ]);
  });

  test("has no body and no type of one where the decision has none", async () => {
    const { socketPath, daemon } = await start();
    for (const method of ["GET", "POST", "DELETE"])
      await ask(socketPath, method, "/x", method === "GET" ? undefined : '{"a":1}');
    expect(daemon.forwarded().map(({ bytes }) => bytes.replace(/^.*?sandbox-deploy-guard\r\n/s, ""))).toEqual([
      "Connection: close\r\n\r\n",
      "Connection: close\r\nContent-Length: 0\r\n\r\n",
      "Connection: close\r\n\r\n",
    ]);
  });

  test("has a connection of its own, also when the client keeps its", async () => {
    const { socketPath, daemon } = await start();
    const client = await openRaw(socketPath);
    client.socket.write(head("GET /_ping HTTP/1.1"));
    await client.until("OK");
    client.socket.write(head("GET /version HTTP/1.1"));
    await client.until("ApiVersion");
    expect(daemon.forwarded().map(({ target }) => target)).toEqual(["/_ping", "/version"]);
    expect(daemon.strayBytes()).toBe("");
    client.socket.destroy();
    await eventually(() => expect(daemon.open()).toBe(0));
  });

  test("keeps the order of requests that came at once, one at a time", async () => {
    const { socketPath, daemon } = await start();
    let most = 0;
    daemon.answer((request) => ({
      take: (socket) => {
        most = Math.max(most, daemon.open());
        setImmediate(() => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${request.target}`));
      },
    }));
    const client = await openRaw(socketPath);
    client.socket.write([1, 2, 3, 4].map((each) => head(`GET /${each} HTTP/1.1`)).join(""));
    const answer = await client.until("/4");
    expect(answer.match(/\/\d(?!\.)/g)).toEqual(["/1", "/2", "/3", "/4"]);
    expect(most).toBe(1);
    client.socket.destroy();
  });

  test("does not grow with what is queued on one connection", async () => {
    const { socketPath, daemon, audit } = await start();
    daemon.answer(() => ({ take: () => {} }));
    await exchangeRaw(socketPath, head("GET /a HTTP/1.1").repeat(1000));
    expect(daemon.requests.length).toBeLessThanOrEqual(1);
    expect(audit()).toContainEqual(expect.objectContaining({ rule: "framing.pipelined" }));
  });

  test("is nothing of what came behind a refused upgrade, and the connection ends", async () => {
    const seen: ClientRequest[] = [];
    const { socketPath, daemon } = await start({ decide: denyAll(seen) });
    const first = head("POST /exec/x/start HTTP/1.1", "Connection: Upgrade", "Upgrade: tcp", "Content-Length: 2");
    const answer = await exchangeRaw(
      socketPath,
      `${first}{}${head("POST /containers/create HTTP/1.1", "Content-Length: 0")}`,
    );
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(seen).toHaveLength(1);
    expect(daemon.requests).toEqual([]);
  });
});

describe("an answer", () => {
  test("has the engine's status and body, and only headers that clients need", async () => {
    const { socketPath, daemon } = await start();
    daemon.answer(() => ({
      status: 409,
      headers: { "Api-Version": "1.41", Ostype: "linux", "X-Odd": "1", "Set-Cookie": "a=b", Location: "/elsewhere" },
      body: { message: "Conflict. The name is taken." },
    }));
    const { status, headers, text } = await ask(socketPath, "POST", "/containers/create");
    expect({ status, text }).toEqual({ status: 409, text: '{"message":"Conflict. The name is taken."}\n' });
    const { date, "keep-alive": _, ...others } = headers;
    expect(typeof date).toBe("string");
    expect(others).toEqual({
      "api-version": "1.41",
      "content-length": "43",
      "content-type": "application/json",
      connection: "close",
      ostype: "linux",
    });
  });

  test.each([
    ["of the engine that names none", "/x"],
    ["of the guard itself", "/_guard/health"],
    ["that is a refusal, because the engine is gone", "/gone"],
  ])("%s names the version of the engine's API, by which clients choose theirs", async (_, target) => {
    const { socketPath, daemon } = await start();
    if (target === "/gone") await daemon.close();
    expect((await ask(socketPath, "GET", target)).headers).toMatchObject({ "api-version": "1.41" });
  });

  test("to HEAD has no body, and leaves the connection usable", async () => {
    const { socketPath } = await start();
    const client = await openRaw(socketPath);
    client.socket.write(head("HEAD /_ping HTTP/1.1"));
    await client.until("\r\n\r\n");
    client.socket.write(head("GET /_ping HTTP/1.1", "Connection: close"));
    expect((await client.closed).match(/HTTP\/1\.1 200 OK[\s\S]*?\r\n\r\n(?:OK)?/g)).toHaveLength(2);
  });

  test("that the guard gives itself needs no engine", async () => {
    const { socketPath, daemon, audit } = await start({
      decide: () => ({ kind: "answer", rule: "own", body: new Map([["Name", "guard"]]), notes: {} }),
    });
    expect(await ask(socketPath, "GET", "/info")).toMatchObject({ status: 200, text: '{"Name":"guard"}\n' });
    expect(daemon.requests).toEqual([]);
    expect(audit()).toMatchObject([{ event: "done", decision: "allow", rule: "own", status: 200 }]);
  });

  test.each([
    ["is broken off", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"],
    ["is not HTTP", "hello\r\n\r\n"],
    ["never begins", ""],
    [
      "gives a connection away that nobody asked for",
      "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
    ],
    ["tries to put a header into another", "HTTP/1.1 200 OK\r\nServer: a\rX: b\r\n\r\n"],
  ])("that %s becomes 502", async (_, bytes) => {
    const { socketPath, daemon } = await start();
    daemon.answer(() => ({ take: (socket) => void socket.end(bytes) }));
    const answer = await ask(socketPath, "GET", "/x");
    expect(answer).toMatchObject({ status: 502, text: expect.stringContaining("(rule engine.broken)") });
  });

  test("that stays away becomes 504", async () => {
    const { socketPath, daemon, audit } = await start({ timeouts: { silenceMs: 50 }, policy: { limits: quick } });
    daemon.answer(() => ({ take: () => {} }));
    expect(await ask(socketPath, "POST", "/x")).toMatchObject({ status: 504 });
    expect(audit()).toMatchObject([{ event: "begin" }, { event: "end", status: 504 }]);
    await eventually(() => expect(daemon.open()).toBe(0));
  });

  test("of an engine that is gone becomes 502, and the guard is there again with it", async () => {
    const { socketPath, daemon } = await start();
    await daemon.close();
    expect(await ask(socketPath, "GET", "/x")).toMatchObject({
      status: 502,
      text: expect.stringMatching(/the Docker engine cannot be reached \(ENOENT\) \(rule engine.unreachable\)/),
    });
  });
});

const everything = { exec: true, attach: true, pull: true, pause: true, archive: true, events: true };

const quick = {
  ...{ memoryBytes: 1, nanoCpus: 1, pids: 1, shmBytes: 1, tmpfsBytes: 1, logBytes: 1, logFiles: 1 },
  stopSeconds: 0,
};

describe("facts", () => {
  const asking =
    (reference: string): Decide =>
    (request, _policy, facts) => {
      const container = facts.container(reference);
      if (!container.known) return { kind: "ask", questions: [container.question] };
      if (container.value === undefined)
        return { kind: "deny", rule: "none", status: 404, message: `No such container: ${reference}`, notes: {} };
      return passOn("none")(request, _policy, facts);
    };

  test("are asked for once in a request, and afresh in the next", async () => {
    const { socketPath, daemon } = await start({ decide: asking("box"), world: { containers: { box: inspectedBox } } });
    for (let round = 0; round < 2; round += 1) {
      daemon.forget();
      await ask(socketPath, "GET", "/_ping");
      expect(daemon.requests.map(({ target, question }) => [target, question])).toEqual([
        ["/v1.41/containers/box/json", true],
        ["/_ping", false],
      ]);
    }
  });

  test("that there is no such thing is the decision's to answer", async () => {
    const { socketPath, daemon } = await start({ decide: asking("box") });
    expect(await ask(socketPath, "GET", "/_ping")).toMatchObject({
      status: 404,
      text: '{"message":"No such container: box"}\n',
    });
    expect(daemon.forwarded()).toEqual([]);
  });

  test("that cannot be had refuse the request", async () => {
    const { socketPath, daemon, audit } = await start({ decide: asking("box") });
    daemon.answer(({ question }) => (question ? { status: 500, body: { message: "broken" } } : undefined));
    expect(await ask(socketPath, "GET", "/_ping")).toMatchObject({ status: 502 });
    expect(daemon.forwarded()).toEqual([]);
    expect(audit()).toMatchObject([{ decision: "deny", rule: "engine.inspect", status: 502 }]);
  });

  test("that are asked for again and again refuse the request", async () => {
    const question = { kind: "path", path: "/" } as const;
    const { socketPath, audit } = await start({ decide: () => ({ kind: "ask", questions: [question] }) });
    expect(await ask(socketPath, "GET", "/x")).toMatchObject({ status: 500 });
    expect(audit()).toMatchObject([{ rule: "decision.endless" }]);
  });

  test("are no longer asked for when the client has left, and that is no refusal", async () => {
    const { socketPath, daemon, audit, guard } = await start({ decide: asking("box") });
    daemon.answer(() => ({ take: () => {} }));
    const client = await openRaw(socketPath);
    client.socket.write(head("POST /x HTTP/1.1", "Content-Length: 0"));
    await eventually(() => expect(daemon.requests).toHaveLength(1));
    client.socket.destroy();
    await eventually(() => expect(daemon.open()).toBe(0));
    await eventually(() => expect(audit()).toMatchObject([{ rule: "client.gone", status: 499 }]));
    expect(guard.status().denied).toBe(0);
  });

  test("a decision that fails lets nothing through", async () => {
    const { socketPath, daemon, complaints } = await start({
      decide: () => {
        throw new TypeError("a bug");
      },
    });
    expect(await ask(socketPath, "GET", "/x")).toMatchObject({
      status: 500,
      text: expect.not.stringContaining("TypeError"),
    });
    expect(daemon.requests).toEqual([]);
    expect(complaints.join()).toContain("TypeError: a bug");
  });
});

const inspectedBox = {
  Id: "a".repeat(64),
  Name: "/box",
  Image: "sha256:1",
  State: { Running: true },
  Config: { Labels: { "sandbox-deploy.guard": "test" } },
};

describe("limits", () => {
  test("however many creates come at once, no more sandboxes are made than are allowed", async () => {
    const limit = 3;
    const decide: Decide = (request, policy, facts) => {
      const sandboxes = facts.sandboxes();
      if (!sandboxes.known) return { kind: "ask", questions: [sandboxes.question] };
      if (sandboxes.value.alive >= limit)
        return { kind: "deny", rule: "limit.sandboxes", status: 429, message: "enough", notes: {} };
      return passOn("none")(request, policy, facts);
    };
    const { socketPath, daemon } = await start({ decide, policy: { connections: 50 } });
    let made = 0;
    daemon.answer(({ question }) => {
      if (question) return { status: 200, body: Array.from({ length: made }, () => ({ Id: "x" })) };
      return {
        take: (socket) =>
          void setTimeout(() => {
            made += 1;
            socket.end("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
          }, 5),
      };
    });
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(socketPath, "POST", "/containers/create")));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(3).fill(201), ...Array(17).fill(429)]);
    expect(made).toBe(limit);
  });

  test("creates of a minute count when they were made, and not when the engine refused them", async () => {
    const seen: number[] = [];
    const decide: Decide = (request, policy, facts) => {
      const sandboxes = facts.sandboxes();
      if (!sandboxes.known) return { kind: "ask", questions: [sandboxes.question] };
      seen.push(sandboxes.value.createdLastMinute);
      return passOn("none")(request, policy, facts);
    };
    const { socketPath, daemon } = await start({ decide });
    for (const status of [201, 409, 201, 500]) {
      daemon.answer(({ question }) => (question ? { status: 200, body: [] } : { status }));
      await ask(socketPath, "POST", "/containers/create");
    }
    expect(seen).toEqual([0, 1, 1, 2]);
  });

  test("a client that leaves in the middle of a create does not let the next one in before the engine is done", async () => {
    const decide: Decide = (request, policy, facts) => {
      const sandboxes = facts.sandboxes();
      return sandboxes.known
        ? passOn("none")(request, policy, facts)
        : { kind: "ask", questions: [sandboxes.question] };
    };
    const { socketPath, daemon, audit } = await start({ decide });
    let finish = (): void => {};
    daemon.answer(({ question }) => {
      if (question) return { status: 200, body: [] };
      return {
        take: (socket) => {
          finish = () => void socket.end("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
        },
      };
    });
    const client = await openRaw(socketPath);
    client.socket.write(head("POST /containers/create HTTP/1.1", "Content-Length: 0"));
    await eventually(() => expect(daemon.forwarded()).toHaveLength(1));
    client.socket.destroy();
    const next = ask(socketPath, "POST", "/containers/create");
    await eventually(() => expect(rig?.guard.status().connections.open).toBe(1));
    expect(daemon.forwarded()).toHaveLength(1);
    finish();
    await eventually(() => expect(daemon.forwarded()).toHaveLength(2));
    finish();
    expect((await next).status).toBe(201);
    expect(audit().filter(({ event }) => event === "end")).toMatchObject([{ status: 201 }, { status: 201 }]);
  });

  test("connections above the policy's number are told so, and let in when others have gone", async () => {
    const { socketPath, daemon, audit } = await start({ policy: { connections: 2 }, decide: passOn("download") });
    daemon.answer(({ target }) => (target === "/wait" ? { take: () => {} } : undefined));
    const held = [await openRaw(socketPath), await openRaw(socketPath)];
    for (const { socket } of held) socket.write(head("GET /wait HTTP/1.1"));
    await eventually(() => expect(daemon.forwarded()).toHaveLength(2));
    expect(await ask(socketPath, "GET", "/_ping")).toMatchObject({ status: 429 });
    expect(audit()).toContainEqual(expect.objectContaining({ rule: "limit.connections", status: 429 }));
    for (const { socket } of held) socket.destroy();
    await eventually(async () => expect((await ask(socketPath, "GET", "/_ping")).status).toBe(200));
  });

  test("a connection that is only kept for later makes room for a new one", async () => {
    const { socketPath } = await start({ policy: { connections: 1 } });
    const kept = await openRaw(socketPath);
    kept.socket.write(head("GET /_ping HTTP/1.1"));
    await kept.until("OK");
    await eventually(async () => expect((await ask(socketPath, "GET", "/_ping")).status).toBe(200));
    await kept.closed;
  });
});

describe("the audit comes first", () => {
  test.each([
    ["POST", "none"],
    ["DELETE", "none"],
    ["GET", "download"],
  ] as const)("a %s (%s) that cannot be written down is not sent", async (method, stream) => {
    let full = false;
    const { socketPath, daemon } = await start({
      decide: passOn(stream),
      beforeLine: () => {
        if (full) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
      },
    });
    full = true;
    expect(await ask(socketPath, method, "/x")).toMatchObject({
      status: 503,
      text: expect.stringContaining(
        "the audit cannot be written (ENOSPC), so nothing is let through (rule audit.unwritable)",
      ),
    });
    expect(daemon.forwarded()).toEqual([]);
    full = false;
    expect((await ask(socketPath, method, "/x")).status).not.toBe(503);
  });

  test("a plain answer that cannot be written down is not given", async () => {
    let full = false;
    const { socketPath, daemon } = await start({
      beforeLine: () => {
        if (full) throw new Error("no space");
      },
    });
    daemon.answer(() => ({ status: 200, body: "secret" }));
    full = true;
    const { status, text } = await ask(socketPath, "GET", "/x");
    expect(status).toBe(503);
    expect(text).not.toContain("secret");
  });

  test("a plain read leaves one line, a change two with the same id, a refusal one", async () => {
    const { socketPath, audit, daemon } = await start();
    await ask(socketPath, "GET", "/_ping");
    expect(audit()).toMatchObject([{ event: "done", rule: "test.pass", status: 200, bytesIn: 0, bytesOut: 2 }]);
    daemon.answer(({ target }) => {
      expect(audit().at(-1)).toMatchObject({ event: "begin", target });
      return undefined;
    });
    await ask(socketPath, "POST", "/containers/x/start", "{}");
    const [, begin, end, ...more] = audit();
    expect([begin, end]).toMatchObject([
      { event: "begin", route: "test.route", bytesIn: 2, policy: "test-hash" },
      { event: "end", status: 204, bytesOut: 0 },
    ]);
    expect(end?.["id"]).toBe(begin?.["id"]);
    expect(more).toEqual([]);
  });

  test("a plain answer that turns out long is written down before any of it is given", async () => {
    const { socketPath, audit, daemon } = await start();
    const body = Buffer.alloc(3_000_000, "x");
    daemon.answer(() => ({ status: 200, body }));
    const { text } = await ask(socketPath, "GET", "/long");
    expect(text.length).toBe(body.length);
    await eventually(() =>
      expect(audit()).toMatchObject([{ event: "begin" }, { event: "end", status: 200, bytesOut: body.length }]),
    );
  });
});

describe("the health check", () => {
  const health = "/_guard/health";
  test("asks guard and engine, and leaves no line", async () => {
    const { socketPath, audit } = await start({ decide: denyAll() });
    expect(await ask(socketPath, "GET", health)).toMatchObject({ status: 200, text: '{"status":"ok"}\n' });
    expect(audit()).toEqual([]);
  });

  test("fails without an engine", async () => {
    const { socketPath, daemon } = await start();
    await daemon.close();
    expect((await ask(socketPath, "GET", health)).status).toBe(503);
  });

  test("fails while the audit cannot be written, and by itself no longer when it can", async () => {
    let full = false;
    const lines: string[] = [];
    const { socketPath } = await start({
      beforeLine: (line) => {
        if (full) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
        lines.push(line);
      },
    });
    full = true;
    await ask(socketPath, "POST", "/x");
    expect(await ask(socketPath, "GET", health)).toMatchObject({
      status: 503,
      text: expect.stringContaining("ENOSPC"),
    });
    full = false;
    expect((await ask(socketPath, "GET", health)).status).toBe(200);
    const message = "until now it could not be written (ENOSPC)";
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ event: "note", rule: "audit.written", message });
  });

  test.each(["POST", "HEAD"])("is not what %s to the same target is", async (method) => {
    const seen: ClientRequest[] = [];
    const { socketPath } = await start({ decide: denyAll(seen) });
    await ask(socketPath, method, health);
    expect(seen).toHaveLength(1);
  });
});

describe("the end of a guard", () => {
  test("lets a request come to its end, cuts streams, and removes the socket", async () => {
    const { socketPath, daemon, guard, audit } = await start({
      decide: (request, policy, facts) =>
        passOn(request.target === "/stream" ? "download" : "none")(request, policy, facts),
    });
    let finish = (): void => {};
    daemon.answer(({ target }) => ({
      take: (socket) => {
        if (target === "/stream") socket.write("HTTP/1.1 200 OK\r\n\r\nfirst");
        else finish = () => void socket.end("HTTP/1.1 204 No Content\r\n\r\n");
      },
    }));
    const stream = await openRaw(socketPath);
    stream.socket.write(head("GET /stream HTTP/1.1"));
    await stream.until("first");
    const plain = ask(socketPath, "POST", "/stop");
    await eventually(() => expect(daemon.forwarded()).toHaveLength(2));
    const stopped = guard.stop();
    await stream.closed;
    await expect(stat(socketPath)).rejects.toThrow("ENOENT");
    finish();
    expect((await plain).status).toBe(204);
    await stopped;
    expect(audit().filter(({ event }) => event === "end")).toHaveLength(2);
    expect(guard.status().state).toBe("stopped");
    stream.socket.destroy();
  });
});

describe("the socket's file", () => {
  const server = () => createServer(() => {});
  let folder = "";
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const path = async () => {
    folder = await mkdtemp(join(tmpdir(), "guard-socket-"));
    return join(folder, "s.sock");
  };

  test.each([0o000, 0o022, 0o077])("is for its owner and its group alone, whatever the umask (%i)", async (umask) => {
    const socket = await path();
    const before = process.umask(umask);
    const listening = server();
    const file = await listenOn(listening, socket).finally(() => process.umask(before));
    expect((await stat(socket)).mode & 0o777).toBe(0o660);
    await file.remove();
    listening.close();
  });

  test("replaces one that a dead process left, and no living one", async () => {
    const socket = await path();
    const living = server();
    await listenOn(living, socket);
    await expect(listenOn(server(), socket)).rejects.toThrow("somebody listens on");
    living.close();
    expect((await stat(socket)).isSocket()).toBe(true);
    const next = server();
    const file = await listenOn(next, socket);
    const another = await openRaw(socket);
    another.socket.destroy();
    next.close();
    await file.remove();
  });

  test("never replaces what is no socket", async () => {
    const socket = await path();
    await writeFile(socket, "mine");
    await expect(listenOn(server(), socket)).rejects.toThrow("is no socket: remove it, or listen somewhere else");
  });

  test("is not removed by a guard whose place another one has taken", async () => {
    const socket = await path();
    const first = server();
    const file = await listenOn(first, socket);
    await new Promise((resolve) => first.close(resolve));
    const second = server();
    const own = await listenOn(second, socket);
    await file.remove();
    expect((await stat(socket)).isSocket()).toBe(true);
    await own.remove();
    await expect(stat(socket)).rejects.toThrow("ENOENT");
    second.close();
  });

  test("says which directory is missing, and not what it would have made there", async () => {
    const socket = join(await path(), "no", "s.sock");
    const said = `nothing can listen on ${socket} (ENOENT): make the directory ${dirname(socket)}, and let this user`;
    await expect(listenOn(server(), socket)).rejects.toThrow(said);
  });

  test("says clearly that a path is too long", async () => {
    const socket = await path();
    await expect(listenOn(server(), `${socket}${"x".repeat(100)}`)).rejects.toThrow("shorter path");
  });
});
