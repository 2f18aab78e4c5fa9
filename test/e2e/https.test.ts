import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCiphers } from "node:tls";
import type { BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { openBrowser, trustAuthority, visit } from "../support/browser.ts";
import { makeCertificate } from "../support/certificates.ts";
import { command, eventually, output } from "../support/command.ts";
import { runSnippet } from "../support/gateway-page.ts";
import { ask, askPlain, type Door, shake, suitesOf } from "../support/https-client.ts";
import { createStack, loopbackAddress, platformConfigs, type TestStack } from "../support/stack.ts";

/** https://wiki.mozilla.org/Security/Server_Side_TLS, intermediate, without the DHE suites that version 5.8 took out. */
const intermediate = {
  ecdsa: ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"],
  rsa: ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"],
  tls13: ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"],
};
const candidates12 = getCiphers()
  .map((name) => name.toUpperCase())
  .filter((name) => !name.startsWith("TLS_"));

const tlsConfig = (kind: string, more = "") => `public:\n  tls: ${kind}\n  domain: agents.test\n${more}`;
const ownFiles = "  hstsSeconds: 63072000\n  files: { certificate: own.pem, key: own.key }\n";

describe("a stack on a domain", () => {
  let stack: TestStack;
  let door: Door;
  let profile: string;
  let scan: Promise<{ readonly testssl: readonly string[]; readonly sslscan: string }>;
  const address = loopbackAddress();

  /** A certificate of a private authority, as a public one would issue it. */
  async function makeOwn(rsa?: number): Promise<void> {
    const wanted = {
      names: ["agents.test"],
      by: "ca",
      until: 200,
      crl: "http://ca.test/crl",
      ...(rsa === undefined ? {} : { rsa }),
    };
    await makeCertificate(stack.folder, "leaf", wanted);
    await writeFile(join(stack.folder, "own.pem"), await readFile(join(stack.folder, "leaf.pem")));
    await writeFile(join(stack.folder, "own.key"), await readFile(join(stack.folder, "leaf.key")), { mode: 0o600 });
  }
  const configure = (part: string) =>
    stack.write(
      "deploy.config.yaml",
      `version: 1\nproject: ${stack.project}\ncompose: { images: local }\nhealth: { settleSeconds: 1 }\n${part}`,
    );

  beforeAll(async () => {
    stack = await createStack("https", platformConfigs.local, tlsConfig("files", ownFiles));
    profile = await mkdtemp(join(tmpdir(), "sandbox-deploy-chromium-"));
    await stack.write(".env", `${await stack.read(".env")}TLS_BIND_HOST=${address}\n`);
    await makeCertificate(stack.folder, "ca", { authority: true });
    await makeOwn();
    await stack.deployOk("up", "--yes");
    door = { address, name: "agents.test", ca: await stack.read("ca.pem") };
    // It takes minutes, in which the others look at the same door.
    scan = scanned();
    scan.catch(() => undefined);
  });
  afterAll(async () => {
    await rm(profile, { recursive: true, force: true });
    await stack.dispose();
  });

  it("answers through HTTPS, under its name alone, with the headers that belong there", async () => {
    const { status, headers } = await ask(door, "/health");
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "strict-transport-security": "max-age=63072000",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "alt-svc": 'h3=":443"; ma=86400',
      "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
      "permissions-policy": expect.stringContaining("camera=()"),
    });
    expect(headers).not.toHaveProperty("server");
    expect(headers).not.toHaveProperty("via");
    expect(await askPlain(address, "agents.test", "/a?b=c")).toMatchObject({
      status: 308,
      headers: { location: "https://agents.test/a?b=c" },
    });
    expect((await askPlain(address, "other.test", "/health")).status).toBe(421);
    expect((await askPlain(address, address, "/health")).status).toBe(421);
    expect((await ask(door, "/health", { headers: { host: "other.test" } })).status).toBe(421);
    expect(await shake({ ...door, name: "other.test" })).toHaveProperty("refused");
  });

  it("publishes 80 and 443 and nothing else, as a user without capabilities", async () => {
    const published = (await Promise.all((await stack.containers()).map((name) => stack.inspect(name)))).map(
      (container) =>
        z
          .object({
            Config: z.object({ User: z.string() }),
            HostConfig: z.object({
              ReadonlyRootfs: z.boolean(),
              CapAdd: z.array(z.string()).nullable(),
              CapDrop: z.array(z.string()),
              PortBindings: z.record(z.string(), z.array(z.object({ HostIp: z.string(), HostPort: z.string() }))),
            }),
          })
          .parse(container),
    );
    const ports = published.flatMap(({ HostConfig }) =>
      Object.entries(HostConfig.PortBindings).flatMap(([port, bindings]) =>
        bindings.map(({ HostIp, HostPort }) => `${HostIp}:${HostPort} ${port}`),
      ),
    );
    expect(ports.toSorted()).toEqual([`${address}:443 8443/tcp`, `${address}:443 8443/udp`, `${address}:80 8080/tcp`]);
    for (const { Config, HostConfig } of published) {
      expect(Config.User).toMatch(/^[1-9]\d*:/);
      expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, CapAdd: null, CapDrop: ["ALL"] });
    }
  });

  it("speaks TLS 1.2 and 1.3 with the suites of Mozilla's intermediate list, and nothing older", async () => {
    expect(await suitesOf(door, "TLSv1.2", candidates12)).toEqual(
      candidates12.filter((each) => intermediate.ecdsa.includes(each)),
    );
    expect((await suitesOf(door, "TLSv1.3", intermediate.tls13)).toSorted()).toEqual(intermediate.tls13);
    for (const version of ["TLSv1", "TLSv1.1"] as const)
      expect(await shake(door, { min: version, max: version, ciphers: "ALL:@SECLEVEL=0" })).toHaveProperty("refused");
    const session = await command(
      "openssl",
      ["s_client", "-connect", `${address}:443`, "-servername", "agents.test", "-tls1_3"],
      {
        input: "GET / HTTP/1.0\r\n\r\n",
      },
    );
    // The server's tickets invite to no early data.
    expect(session.stdout).not.toMatch(/Max Early Data: [1-9]/);
  });

  it("works in a browser that has the root: a snippet, no mixed content, and plain HTTP is not even tried again", async () => {
    await trustAuthority(profile, join(stack.folder, "ca.pem"));
    let browser: BrowserContext | undefined;
    try {
      browser = await openBrowser(profile, { name: "agents.test", address });
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on("pageerror", (error) => problems.push(error.message));
      page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
      const asked: string[] = [];
      page.on("request", (each) => asked.push(each.url()));
      await visit(page, "https://agents.test/");
      await runSnippet(page, await stack.read(".env"));
      expect(problems).toEqual([]);
      expect(asked.filter((url) => !url.startsWith("https://agents.test/"))).toEqual([]);
      expect((await browser.cookies()).filter(({ secure }) => !secure)).toEqual([]);
      const again = await visit(page, "http://agents.test/");
      const upgrade = await again?.request().redirectedFrom()?.response();
      expect(upgrade?.status()).toBe(307);
      expect(upgrade?.headers()["non-authoritative-reason"]).toBe("HSTS");
    } finally {
      await browser?.close();
    }
  });

  it("answers over HTTP/3, and a client that comes back sends nothing before the handshake", async () => {
    const key = await output("sh", [
      "-c",
      `openssl x509 -in '${stack.folder}/own.pem' -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64`,
    ]);
    const netLog = join(profile, "net-log.json");
    // A browser takes QUIC only from authorities that the whole world knows, or for a key that it was told.
    const flags = [
      "--origin-to-force-quic-on=agents.test:443",
      `--ignore-certificate-errors-spki-list=${key.trim()}`,
      // It ends a silent connection after a second, and makes another one with what it knows of the first.
      "--force-fieldtrials=QUIC/Enabled/",
      "--force-fieldtrial-params=QUIC.Enabled:idle_connection_timeout_seconds/2",
      `--log-net-log=${netLog}`,
    ];
    const browser = await openBrowser(profile, { name: "agents.test", address, flags });
    try {
      const page = await browser.newPage();
      expect((await visit(page, "https://agents.test/"))?.status()).toBe(200);
      const protocol = await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol");
      expect(protocol).toBe("h3");
      const first = await quicPorts();
      await eventually(async () => {
        await new Promise((resolve) => setTimeout(resolve, 1500));
        expect((await visit(page, "https://agents.test/health"))?.status()).toBe(200);
        expect((await quicPorts()).size).toBeGreaterThan(first.size);
      }, 20);
    } finally {
      await browser.close();
    }
    const handshakes = [...(await readFile(netLog, "utf8")).matchAll(/"params":\{"state":"(\w*Attempted\w*)"\}/g)];
    expect(handshakes.length).toBeGreaterThan(1);
    expect([...new Set(handshakes.map(([, state]) => state))]).toEqual(["NotAttempted"]);
  });

  it("shows a scanner nothing of medium severity or above", async () => {
    const { testssl, sslscan } = await scan;
    const said = z.array(z.looseObject({ id: z.string(), severity: z.string(), finding: z.string() }));
    const parts = testssl.map((part) => said.parse(JSON.parse(part)));
    expect(parts.map(({ length }) => length > 15)).toEqual([true, true]);
    const found = parts.flat();
    expect(found.length).toBeGreaterThan(80);
    // What its own OpenSSL cannot ask for: a renegotiation, which sslscan can, and which is refused altogether; and GOST,
    // which a machine without that engine of OpenSSL lacks.
    const notAsked = ["secure_renego", "engine_problem"];
    const shown = found.filter(({ id, severity }) => !/^(OK|INFO|LOW|DEBUG)$/.test(severity) && !notAsked.includes(id));
    expect(shown).toEqual([]);
    expect(sslscan).toMatch(/TLSv1\.1\s+disabled/);
    expect(sslscan).toMatch(/TLSv1\.3\s+enabled/);
    expect(sslscan).toMatch(/Session renegotiation not supported/);
    expect(sslscan).not.toMatch(/SSLv[23]\s+enabled|TLSv1\.[01]\s+enabled|[^t] vulnerable to heartbleed/);
  });

  it("takes a new certificate with an up, here one with an RSA key, and another one only when it is right", async () => {
    await makeOwn(2048);
    await stack.deployOk("up", "--yes");
    expect(await suitesOf(door, "TLSv1.2", candidates12)).toEqual(
      candidates12.filter((each) => intermediate.rsa.includes(each)),
    );
    await output("chmod", ["0644", join(stack.folder, "own.key")]);
    const refused = await stack.deploy("up", "--yes");
    expect(refused).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("D125") });
    expect((await ask(door, "/health")).status).toBe(200);
  });

  it("can have a CA of its own, whose root is printed and is enough to trust it", async () => {
    await configure(tlsConfig("internal"));
    const up = await stack.deployOk("up", "--yes");
    expect(up.stdout).toContain("https://agents.test");
    const root = await stack.deployOk("tls", "root");
    const own = { ...door, ca: root.stdout };
    const answer = await ask(own, "/health");
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty("strict-transport-security");
    await expect(ask(door, "/health")).rejects.toThrow();
    const status = await stack.deployOk("tls", "status");
    expect(status.stdout).toMatch(/lifetime {2}\d+ % \(\d+ hours\) left of 12 hours/);
    expect(status.stdout).toContain("names     agents.test");
    expect((await stack.deployOk("status")).stdout).toMatch(/^tls {7}internal, \d+ %/m);
  });

  it("of somebody else is asked through HTTPS where its own proxy ends it, and the certificate is watched there too", async () => {
    await stack.deployOk("down", "--volumes", "--yes");
    const program = `require("https").createServer({ key: fs.readFileSync("/key"), cert: fs.readFileSync("/pem") }, (_, answer) => answer.end("{}")).listen(8443)`;
    const [key, pem] = ["theirs.key", "theirs.pem"].map((each) => join(stack.folder, each));
    const theirs = {
      ...{ image: "sandbox-deploy/gateway:0.1.0-local", user: "0:0", init: true, command: ["node", "-e", program] },
      ...{ ports: [`${address}:443:8443`], volumes: [`${key}:/key:ro`, `${pem}:/pem:ro`] },
    };
    await stack.write("stack.yaml", JSON.stringify({ services: { web: theirs } }));
    await stack.write(
      "deploy.config.yaml",
      `version: 1\nproject: ${stack.project}\ncompose: { images: local, base: stack.yaml, proxy: web }\nplatform: { service: web }\nhealth: { path: /, settleSeconds: 1 }\n${tlsConfig("internal")}`,
    );
    await makeCertificate(stack.folder, "theirs", { names: ["agents.test"] });
    expect((await stack.deployOk("up", "--yes")).stdout).toContain("url       https://agents.test\n");
    expect((await stack.deployOk("tls", "status")).stdout).toMatch(/names {5}agents.test\n[\s\S]*only its name was/);
    await makeCertificate(stack.folder, "theirs", { names: ["other.test"], until: 20, from: -180 });
    await stack.deployOk("restart", "web");
    const status = await eventually(async () => {
      const told = await stack.deploy("tls", "status");
      expect(told.stdout).toContain("names     other.test");
      return told;
    });
    expect(status).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/D128[\s\S]*D126/) });
  });

  /** The ports from which requests over HTTP/3 came, one for each connection. */
  async function quicPorts(): Promise<ReadonlySet<string | undefined>> {
    const proxy = (await stack.containers()).find((each) => each.includes("-proxy-")) ?? "";
    const log = (await command("docker", ["logs", proxy])).stdout.split("\n");
    const lines = log.filter((line) => line.includes('"proto":"HTTP/3.0"'));
    return new Set(lines.map((line) => /"remote_port":"(\d+)"/.exec(line)?.[1]));
  }

  /** What is offered, and what it is vulnerable to, at the same time: each takes long. */
  async function scanned(): Promise<{ testssl: readonly string[]; sslscan: string }> {
    const testssl = async (name: string, ...checks: string[]) => {
      const json = join(stack.folder, `${name}.json`);
      await command("testssl", [
        ...["--quiet", "--warnings", "off", "--color", "0", "--ip", address, "--add-ca", join(stack.folder, "ca.pem")],
        ...["--jsonfile", json, "--nodns", "none", ...checks, "https://agents.test:443"],
      ]);
      return readFile(json, "utf8");
    };
    const [offered, vulnerable, sslscan] = await Promise.all([
      testssl("offered", "-p", "-s", "-f", "-P", "-S", "-h"),
      testssl("vulnerable", "-U"),
      output("sslscan", ["--no-colour", "--sni-name=agents.test", `${address}:443`]),
    ]);
    return { testssl: [offered, vulnerable], sslscan };
  }
});
