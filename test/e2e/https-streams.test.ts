import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectHttp2 } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, trustAuthority, visit } from "../support/browser.ts";
import { command, eventually, output } from "../support/command.ts";
import { type Answer, ask, type Door } from "../support/https-client.ts";
import { createStack, platformConfigs, repositoryRoot, type TestStack } from "../support/stack.ts";

/** LONG_STREAMS=1 takes the whole time; what ends streams here does so after half a minute. */
const [silentSeconds, slowSeconds] = process.env["LONG_STREAMS"] ? [90, 300] : [33, 33];

/** In the place of the gateway, something whose answers last. */
const overlay = `services:
  gateway:
    command: [node, /stream-server.mjs]
    volumes:
      - type: bind
        source: ${join(repositoryRoot, "test/support/stream-server.mjs")}
        target: /stream-server.mjs
        read_only: true
        bind: { create_host_path: false }
`;

/** By these, too, programs let themselves be told where a request came from, for whom and for what. */
const liars = [
  ...["x-forwarded-port", "x-forwarded-prefix", "x-forwarded-server", "x-forwarded-ssl", "x-forwarded-scheme"],
  ...["x-forwarded-user", "x-forwarded-email", "x-forwarded-groups", "x-forwarded-uri", "x-forwarded-protocol"],
  ...[
    "x-original-url",
    "x-rewrite-url",
    "x-original-host",
    "x-host",
    "remote-user",
    "x-remote-user",
    "front-end-https",
  ],
  ...["true-client-ip", "cf-connecting-ip", "x-client-ip", "x-cluster-client-ip", "fastly-client-ip"],
];

describe("the front door on 443", () => {
  let stack: TestStack;
  let door: Door;
  const name = randomBytes(3).toString("hex");
  // A network of two machines: this one, and a neighbour in a namespace of its own.
  const subnet = `10.213.${randomBytes(1)[0] ?? 0}`;
  const address = `${subnet}.1`;
  const neighbour = `sdtest-${name}`;
  let before: readonly number[];
  /** Two streams that are silent for long, and an answer that comes slowly. */
  let lasting: Promise<[Answer, string, Answer]>;

  beforeAll(async () => {
    await output("ip", ["netns", "add", neighbour]);
    await output("ip", ["link", "add", `sd${name}`, "type", "veth", "peer", "name", "eth0", "netns", neighbour]);
    await output("ip", ["addr", "add", `${address}/24`, "dev", `sd${name}`]);
    await output("ip", ["link", "set", `sd${name}`, "up"]);
    await output("ip", ["-n", neighbour, "addr", "add", `${subnet}.2/24`, "dev", "eth0"]);
    await output("ip", ["-n", neighbour, "link", "set", "eth0", "up"]);
    stack = await createStack("streams", platformConfigs.local);
    before = await portsSeen();
    await stack.write("streams.yaml", overlay);
    await stack.write(".env", `${await stack.read(".env")}TLS_BIND_HOST=${address}\n`);
    await configure("public: { tls: internal, domain: agents.test, preset: deepeye, trustedProxies: [192.0.2.0/24] }");
    await stack.deployOk("up", "--yes");
    door = { address, name: "agents.test", ca: (await stack.deployOk("tls", "root")).stdout };
    // The others ask the same door meanwhile.
    lasting = Promise.all([
      ask(door, `/silent?seconds=${silentSeconds}`),
      askHttp2(`/silent?seconds=${silentSeconds}`),
      ask(door, `/slow?seconds=${slowSeconds}`),
    ]);
    lasting.catch(() => undefined);
  });
  afterAll(async () => {
    await stack?.dispose();
    await command("ip", ["netns", "del", neighbour]);
    await command("ip", ["link", "del", `sd${name}`]);
  });

  const configure = (part: string) =>
    stack.write(
      "deploy.config.yaml",
      `version: 1\nproject: ${stack.project}\ncompose: { images: local, overlays: { always: [streams.yaml] } }\nhealth: { settleSeconds: 1 }\n${part}\n`,
    );

  /** Every TCP port of this machine that the neighbour reaches. */
  async function portsSeen(): Promise<number[]> {
    const script = [
      "import json, select, socket, sys",
      "waiting, found, ports = {}, [], iter(range(1, 65536))",
      "poll = select.poll()",
      "def begin():",
      "    port = next(ports, None)",
      "    if port is None: return",
      "    one = socket.socket()",
      "    one.setblocking(False)",
      "    one.connect_ex((sys.argv[1], port))",
      "    waiting[one.fileno()] = (one, port)",
      "    poll.register(one, select.POLLOUT)",
      "for _ in range(200): begin()",
      "while waiting:",
      "    for number, _ in poll.poll():",
      "        one, port = waiting.pop(number)",
      "        poll.unregister(number)",
      "        if one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0: found.append(port)",
      "        one.close()",
      "        begin()",
      "print(json.dumps(sorted(found)))",
    ].join("\n");
    const python = ["/usr/bin/python3", "-c", script, address];
    return JSON.parse(await output("ip", ["netns", "exec", neighbour, ...python])) as number[];
  }

  it("lets a session be for https alone, as its services learn from the public URL", async () => {
    const home = await mkdtemp(join(tmpdir(), "sandbox-deploy-chromium-"));
    await stack.write("root.pem", door.ca);
    await trustAuthority(home, join(stack.folder, "root.pem"));
    const browser = await openBrowser(home, { name: door.name, address });
    try {
      const page = await browser.newPage();
      expect((await visit(page, `https://${door.name}/login`))?.status()).toBe(200);
      expect(await page.textContent("p")).toBe(`["https://${door.name}"]`);
      expect(await browser.cookies()).toMatchObject([
        { name: "session", secure: true, httpOnly: true, sameSite: "Lax", domain: door.name },
      ]);
      expect(await browser.cookies(`http://${door.name}/`)).toEqual([]);
    } finally {
      await browser.close();
      await rm(home, { recursive: true, force: true });
    }
  });

  it("hands on no word of a client about where a request came from", async () => {
    const lies = {
      "x-forwarded-for": "203.0.113.9",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "evil.test",
      forwarded: "for=203.0.113.9",
      ...Object.fromEntries(liars.map((each) => [each, "evil.test"])),
      // What is named here would be taken out on the way, were the proxy's own words not said after that.
      connection: "upgrade, x-forwarded-for, x-forwarded-host, x-forwarded-proto",
      upgrade: "h2c",
    };
    const { headers } = JSON.parse((await ask(door, "/seen", { headers: lies })).body) as {
      headers: Record<string, string>;
    };
    expect(headers).toMatchObject({ "x-forwarded-proto": "https", "x-forwarded-host": "agents.test" });
    expect(headers["x-forwarded-for"]).toMatch(/^[\d.]+$/);
    expect(JSON.stringify(headers)).not.toMatch(/203\.0\.113\.9|evil|h2c/);
    for (const method of ["TRACE", "CONNECT"])
      expect(await answerTo(`${method} /seen HTTP/1.1\r\nHost: agents.test\r\nConnection: close\r\n\r\n`)).toMatch(
        /^HTTP\/1.1 (405|400) /,
      );
  });

  it("sends on one request for each that it reads, however its length is told", async () => {
    const post = "POST /upload HTTP/1.1\r\nHost: agents.test\r\n";
    const hidden = "GET /seen HTTP/1.1\r\nHost: agents.test\r\n\r\n";
    const refused = [
      `${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef`,
      `${post}Content-Length: +5\r\n\r\nabcde`,
      `${post}Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
      `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n`,
      `${post}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5;a\nb\r\nabcde\r\n0\r\n\r\n`,
      `GET /seen HTTP/1.1\r\nHost: agents.test\r\nX-A: b\rX-B: c\r\n\r\n`,
      `GET /seen HTTP/1.1\r\nHost: agents.test\r\nHost: evil.test\r\n\r\n`,
      `GET /seen HTTP/1.1\r\nHost: agents.test\r\nX-Forwarded-For : 203.0.113.9\r\n\r\n`,
      `GET /seen HTTP/1.1\r\nHost: agents.test\r\nX-A: ${"a".repeat(30_000)}\r\n\r\n`,
      `GET https://evil.test/seen HTTP/1.1\r\nHost: agents.test\r\nConnection: close\r\n\r\n`,
    ];
    for (const each of refused) {
      const answer = await answerTo(each);
      expect({ each, answer: answer.slice(0, 12) }).toEqual({ each, answer: expect.stringMatching(/^HTTP\/1.1 [45]/) });
      expect(answer).not.toContain('"headers"');
    }
    // Both lengths are told: the second counts, and what follows is a request of its own, with the proxy's own words.
    const two = await answerTo(
      `${post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden.replace("\r\n\r\n", "\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n")}`,
    );
    expect(two.match(/HTTP\/1.1 200/g)).toHaveLength(2);
    expect(two).not.toContain("203.0.113.9");
  });

  it("writes no credential into its log", async () => {
    const secret = "sentinel-credential";
    await ask(door, `/seen?token=${secret}`, {
      headers: { authorization: `Bearer ${secret}`, cookie: `session=${secret}` },
    });
    const proxy = (await stack.containers()).find((each) => each.includes("-proxy-")) ?? "";
    const log = await eventually(async () => {
      const { stdout, stderr } = await command("docker", ["logs", proxy]);
      expect(stdout).toContain('"uri":"/seen?-"');
      return stdout + stderr;
    });
    expect(log).not.toContain(secret);
  });

  it("leaves silence, slowness, sockets, uploads and a crowd alone, and limits only what a request brings", async () => {
    const [echo, upload, over, crowd] = await Promise.all([
      echoed("through the proxy"),
      ask(door, "/upload", { method: "POST", body: Buffer.alloc(1_000_000) }),
      ask(door, "/upload", { method: "POST", body: Buffer.alloc(1_000_001) }).catch(String),
      Promise.all(Array.from({ length: 200 }, () => ask(door, "/silent?seconds=2"))),
    ]);
    const events = "data: first\n\ndata: last\n\n";
    expect(echo).toBe("through the proxy");
    expect(upload).toMatchObject({ status: 200, body: "1000000" });
    expect(over).toMatchObject({ status: 413 });
    expect(crowd.filter(({ status, body }) => status !== 200 || body !== events)).toEqual([]);
    const [first, second, slow] = await lasting;
    expect([first.body, second]).toEqual([events, events]);
    expect(slow.body).toMatch(/end\n$/);
  });

  it("loses requests only while the proxy itself is made anew, and none of them to an error of its own", async () => {
    // One that stays would keep all others waiting until the engine kills the proxy.
    const staying = ask(door, "/silent?seconds=600").then(
      () => "whole",
      () => "cut off",
    );
    const restart = await underLoad(() => stack.deployOk("restart", "proxy"));
    expect(await staying).toBe("cut off");
    expect((await command("docker", ["logs", `${stack.project}-proxy-1`])).stdout).toContain('"shutdown complete"');
    await stack.write(".env", `${await stack.read(".env")}GATEWAY_MEMORY=900m\n`);
    const gateway = await underLoad(() => stack.deployOk("up", "--yes"));
    // What comes from this machine may arrive by way of Docker's own bridge.
    const trusted = `trustedProxies: [${subnet}.0/24, 172.16.0.0/12]`;
    await configure(`public: { tls: internal, domain: agents.test, preset: deepeye, hstsSeconds: 86400, ${trusted} }`);
    const proxy = await underLoad(() => stack.deployOk("up", "--yes"));
    const figures = { restart, gateway, proxy };
    process.stderr.write(`requests under load: ${JSON.stringify(figures)}\n`);
    for (const { answered, errors } of Object.values(figures)) {
      expect(answered).toBeGreaterThan(0);
      expect(errors).toEqual([]);
    }
  });

  it("believes a proxy that the configuration trusts about where a request came from, by one header alone", async () => {
    const words = {
      "x-forwarded-for": "203.0.113.9",
      // Such a proxy may pass on what its own clients say.
      ...{ forwarded: "for=203.0.113.8", "x-real-ip": "203.0.113.8" },
      ...{ "x-forwarded-host": "evil.test", "x-forwarded-proto": "http" },
    };
    const { headers } = JSON.parse((await ask(door, "/seen", { headers: words })).body) as {
      headers: Record<string, string>;
    };
    expect(headers["x-forwarded-for"]).toMatch(/^203\.0\.113\.9, /);
    expect(headers).toMatchObject({ "x-forwarded-proto": "https", "x-forwarded-host": "agents.test" });
    expect(JSON.stringify(headers)).not.toContain("203.0.113.8");
  });

  it("is all that a neighbour on the network reaches, and on loopback there is nothing", async () => {
    const opened = (now: readonly number[]) => now.filter((port) => !before.includes(port));
    expect(opened(await portsSeen())).toEqual([80, 443]);
    await configure("public: { preset: deepeye }");
    await stack.deployOk("up", "--yes");
    expect(opened(await portsSeen())).toEqual([]);
    // Where people come over plain HTTP, a cookie for https alone would never come back.
    const login = await fetch(`${stack.url}/login`);
    expect(login.headers.get("set-cookie")).toBe("session=1; Path=/; HttpOnly; SameSite=Lax");
  });

  /** Asks steadily while something happens: how many were answered, how many found nobody, and what else was said. */
  async function underLoad(happens: () => Promise<unknown>) {
    let goes = true;
    const tally = { answered: 0, unanswered: 0, errors: [] as string[] };
    const asking = async () => {
      while (goes) {
        await ask(door, "/health").then(
          ({ status }) => (status === 200 ? count("answered") : void tally.errors.push(String(status))),
          () => count("unanswered"),
        );
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const count = (key: "answered" | "unanswered") => {
      tally[key] += 1;
    };
    const clients = [asking(), asking()];
    await happens();
    goes = false;
    await Promise.all(clients);
    return tally;
  }

  function askHttp2(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const session = connectHttp2(`https://${door.name}`, {
        createConnection: () =>
          connect({ host: address, port: 443, servername: door.name, ca: door.ca, ALPNProtocols: ["h2"] }),
      });
      session.once("error", reject);
      const stream = session.request({ ":path": path });
      let text = "";
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      stream.once("error", reject);
      stream.once("end", () => {
        session.close();
        resolve(text);
      });
    });
  }

  /** What comes back for these very bytes, until the door closes the connection or is silent. */
  function answerTo(bytes: string): Promise<string> {
    return new Promise((resolve) => {
      let text = "";
      const end = () => {
        socket.destroy();
        resolve(text);
      };
      const { name: servername, ca } = door;
      const socket = connect({
        host: address,
        port: 443,
        servername,
        ca,
        ALPNProtocols: ["http/1.1"],
        timeout: 15_000,
      });
      socket.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      socket.once("secureConnect", () => socket.write(bytes));
      socket.once("timeout", end).once("error", end).once("close", end);
    });
  }

  /** Sends one short text over a WebSocket and gives back what comes. */
  function echoed(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({
        host: address,
        port: 443,
        servername: door.name,
        ca: door.ca,
        ALPNProtocols: ["http/1.1"],
      });
      socket.once("error", reject);
      socket.once("secureConnect", () =>
        socket.write(
          `GET /socket HTTP/1.1\r\nHost: ${door.name}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
        ),
      );
      let upgraded = false;
      socket.on("data", (data) => {
        if (!upgraded) {
          upgraded = true;
          const mask = randomBytes(4);
          const masked = Buffer.from(text).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
          socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length]), mask, masked]));
          return;
        }
        resolve(data.subarray(2).toString());
        socket.destroy();
      });
    });
  }
});
