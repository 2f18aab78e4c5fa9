import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AcmeServer, startAcme } from "../support/acme.ts";
import { command, eventually } from "../support/command.ts";
import { ask, type Door, fingerprintAt } from "../support/https-client.ts";
import { createStack, loopbackAddress, platformConfigs, type TestStack } from "../support/stack.ts";

const domain = "agents.test";
const eabKey = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
/** It is due for a renewal soon after it was issued, and long before it expires. */
const short = { validSeconds: 3600, renewAfterSeconds: 5, eab: { "kid-1": eabKey } };

/** Looks for certificates to renew all the time, and not every ten minutes. */
const impatient = "services:\n  proxy:\n    environment:\n      TLS_RENEW_INTERVAL: 2s\n";

describe("a certificate from an ACME server", () => {
  let stack: TestStack;
  let acme: AcmeServer;
  let door: Door;
  const address = loopbackAddress();

  beforeAll(async () => {
    stack = await createStack("acme", platformConfigs.local);
    acme = await startAcme(stack.folder, { ...short, tlsPort: 9 });
    await acme.resolveTo(domain, address);
    await stack.write("roots.pem", await acme.roots());
    await stack.write("impatient.yaml", impatient);
    await stack.write(".env", `${await stack.read(".env")}TLS_BIND_HOST=${address}\nACME_EAB_KEY=${eabKey}\n`);
    await configure();
    door = { address, name: domain, ca: await acme.roots() };
  });
  afterAll(async () => {
    acme.stop();
    await stack.dispose();
  });

  const proxyName = async () => (await stack.containers()).find((name) => name.includes("-proxy-")) ?? "";
  /** The kinds of challenges for which the authority came to the proxy. */
  const answeredChallenges = async () => {
    const { stdout } = await command("docker", ["logs", await proxyName()]);
    return [
      ...new Set(
        [...stdout.matchAll(/"served key authentication[^\n]*"challenge":"([^"]+)"/g)].map(([, kind]) => kind),
      ),
    ];
  };
  const configure = (overlay = "impatient.yaml") =>
    stack.write(
      "deploy.config.yaml",
      [
        `version: 1\nproject: ${stack.project}`,
        `compose: { images: local, overlays: { always: [${overlay}] } }`,
        "health: { settleSeconds: 1 }",
        `public:\n  tls: acme\n  domain: ${domain}`,
        `  acme:\n    directory: ${acme.directory}\n    root: roots.pem\n    eab: { keyId: kid-1, keyVariable: ACME_EAB_KEY }\n`,
      ].join("\n"),
    );
  it("is fetched by up over port 80, with an account that the authority asked for and whose key is nowhere to be seen", async () => {
    const up = await stack.deployOk("up", "--yes");
    expect(up.stdout).toContain(`https://${domain}`);
    expect((await ask(door, "/health")).status).toBe(200);
    expect(await answeredChallenges()).toContain("http-01");
    const proxy = await proxyName();
    const seen = [
      up.stdout,
      up.stderr,
      JSON.stringify(await stack.inspect(proxy)),
      (await command("docker", ["logs", proxy])).stdout,
    ];
    for (const text of seen) expect(text).not.toContain(eabKey);
    expect(await readFile(join(stack.folder, ".deploy/secrets/acme_account"), "utf8")).toContain(eabKey);
  });

  it("is renewed before it expires, while every request is answered", async () => {
    const first = await fingerprintAt(door);
    const answers: number[] = [];
    await eventually(async () => {
      answers.push(
        await ask(door, "/health").then(
          ({ status }) => status,
          () => 0,
        ),
      );
      expect(await fingerprintAt(door)).not.toBe(first);
    }, 3000);
    expect(first).toBeDefined();
    expect(new Set(answers)).toEqual(new Set([200]));
    expect((await stack.deployOk("tls", "status")).stdout).toMatch(/renewal .*renewed since it\s+started/);
  });

  it("that cannot be renewed stays in use, and the reason is what the authority said", async () => {
    await acme.resolveTo(domain, undefined);
    const proxy = await proxyName();
    await eventually(async () => {
      expect((await command("docker", ["logs", "--tail", "20", proxy])).stdout).toMatch(
        /"tls.renew","msg":"will retry"/,
      );
    }, 3000);
    const shown = await fingerprintAt(door);
    const status = await stack.deploy("tls", "status");
    expect(status.stdout).toMatch(/renewal {3}fails: .*Could not\s+resolve/s);
    expect(status.stderr).toContain("D127");
    expect(status.stderr).toContain("could not be renewed, and the old one stays in use");
    expect((await stack.deploy("status")).stdout).toMatch(/^tls {7}acme, /m);
    expect(await fingerprintAt(door)).toBe(shown);
    expect((await ask(door, "/health")).status).toBe(200);
  });

  it("that cannot be fetched at all fails the up, and says what the authority said", async () => {
    await stack.deployOk("down", "--volumes", "--yes");
    const failed = await stack.deploy("up", "--yes", "--wait-seconds", "15", "--no-rollback");
    expect(failed).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/D127 .*no certificate: .*Could not resolve/s),
    });
  });

  it("is fetched over port 443 where port 80 leads nowhere", async () => {
    acme.stop();
    acme = await startAcme(stack.folder, { ...short, renewAfterSeconds: 1800, httpPort: 9 });
    await acme.resolveTo(domain, address);
    await stack.write("roots.pem", await acme.roots());
    await configure();
    await stack.deployOk("up", "--yes");
    expect((await ask({ ...door, ca: await acme.roots() }, "/health")).status).toBe(200);
    expect(await answeredChallenges()).toEqual(["tls-alpn-01"]);
  });
});
