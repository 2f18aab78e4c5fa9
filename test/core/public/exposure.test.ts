import { describe, expect, test } from "vitest";
import { planText } from "../../../src/core/plan/plan-text.ts";
import { exposureOf } from "../../../src/core/public/exposure.ts";
import { exposureItems, type LastExposure } from "../../../src/core/public/exposure-items.ts";
import { type Case, planFor } from "../plan/plan-facts.ts";

const digest = `sha256:${"a".repeat(64)}`;
const limits = { mem_limit: "67108864", pids_limit: 10 };
const sound = { image: `demo@${digest}`, ...limits };
const port = (hostIp: string | undefined, published: string, target = 8080) => ({
  ports: [{ ...(hostIp === undefined ? {} : { host_ip: hostIp }), published, target, protocol: "tcp" }],
});
const tls = { public: { tls: "internal", domain: "a.example" } };
const network = { gateway: sound, proxy: { ...sound, ...port("0.0.0.0", "2026") } };
const front = { gateway: sound, proxy: { ...sound, ...port(undefined, "443", 8443) } };
const accepting = (...names: string[]) => ({
  accept: names.map((privilege) => ({ privilege, reason: "because a test says so" })),
});

const plan = (parts: Case) => planFor({ services: front, ...parts, config: { ...tls, ...parts.config } });
const failing = (parts: Case) =>
  plan(parts)
    .findings.filter(({ code }) => code === "D146")
    .map(({ severity, fix = "" }) => `${severity} ${/ accept ([a-z-]+) with a reason/.exec(fix)?.[1]}`);
const question = (parts: Case) => plan(parts).questions.filter(({ kind }) => kind === "exposure");

describe("who reaches a stack", () => {
  const level = (parts: Case) => plan(parts).exposure?.level;

  test.each([["127.0.0.1"], ["127.8.0.1"], ["::1"], ["[::1]"]])("nobody but this machine by %s", (hostIp) => {
    const services = { gateway: sound, proxy: { ...sound, ...port(hostIp, "2026") } };
    expect(level({ services })).toBeUndefined();
    expect(question({ services })).toEqual([]);
    expect(failing({ services, config: { public: { tls: "off" } } })).toEqual([]);
  });

  test.each([[undefined], [""], ["0.0.0.0"], ["::"], ["192.0.2.7"], ["fd00::1"]])("others by %s", (hostIp) => {
    const services = { gateway: sound, proxy: { ...sound, ...port(hostIp, "2026") } };
    expect(level({ services, config: { public: { tls: "off" } } })).toBe("network");
    expect(level({ services })).toBe("public");
  });

  test("the host's own network is asked about by that name, and counts once the stack is open", () => {
    const gateway = { ...sound, network_mode: "host" };
    expect(level({ services: { gateway, proxy: sound } })).toBeUndefined();
    expect(failing({ services: { gateway, proxy: front.proxy } })).toEqual(["error no-tls"]);
  });

  test("not by a service that another mode has", () => {
    expect(level({ services: network, stack: { excluded: ["proxy"] } })).toBeUndefined();
  });

  test.each<[detail: string, expected: string]>([
    ["127.0.0.1:2026 -> 8080/tcp", "loopback"],
    ["[::1]:2026 -> 8080/tcp", "loopback"],
    ["0.0.0.0:2026 -> 8080/tcp", "network"],
    ["[::]:443 -> 8443/udp", "network"],
    ["0.0.0.0:random -> 80/tcp", "network"],
  ])("is known of an earlier version's receipt with %s", (detail, expected) => {
    expect(exposureOf([{ kind: "published-port", detail }])).toEqual({ level: expected, failed: undefined });
  });
});

describe("what must hold is looked for in the merged model", () => {
  test("nothing is wrong with a sound stack, and it asks once", () => {
    expect(failing({})).toEqual([]);
    expect(question({})).toHaveLength(1);
    expect(planText(plan({}))).toMatchInlineSnapshot(`
      "mode      local
      because   a test says so
      project   demo
      files     compose.yaml
      services  gateway, proxy

      privileges (+ gained, - lost)
        + proxy  published-port  0.0.0.0:443 -> 8443/tcp

      steps
        1. pull gateway, proxy
           why: not on this machine
        2. bring up 2 services
           recreate  gateway  its image is made or pulled anew
           recreate  proxy    its image is made or pulled anew

      questions
        ? everybody who reaches this machine will reach this stack, under its domain:
          proxy 0.0.0.0:443 -> 8443/tcp
          holds: strong secrets
          holds: no default accounts
          holds: TLS on every open port
          holds: closed data stores
          holds: limits on memory and processes
          holds: no raw Docker socket
          holds: no directories of credentials
          holds: pinned images
          open: confirm it with --yes, or with an entry under accept: in
          deploy.config.yaml"
    `);
  });

  const changed = (service: "gateway" | "proxy", changes: Record<string, unknown>): Case => ({
    services: { ...front, [service]: { ...front[service], ...changes } },
  });
  const store = (image: string, target: number): Case => ({
    services: { ...front, store: { ...sound, image: `${image}@${digest}`, ...port("0.0.0.0", "7000", target) } },
  });
  const weak = { code: "D103", severity: "warning", message: "the secret X has a placeholder for a value" } as const;
  const socket = { type: "bind", source: "/var/run/docker.sock", target: "/var/run/docker.sock" };
  const folder = { type: "bind", source: "/home/alice/.claude", target: "/x", read_only: true };

  test.each<[situation: string, parts: Case, expected: readonly string[]]>([
    ["a weak secret", { findings: [weak] }, ["weak-secrets"]],
    ["a well-known password", changed("gateway", { environment: { DB_PASSWORD: "changeme" } }), ["default-accounts"]],
    [
      "a well-known account",
      changed("gateway", { environment: { MINIO_ROOT_USER: "minioadmin" } }),
      ["default-accounts"],
    ],
    ...[
      { DATABASE_URL: "postgres://app:changeme@db:5432/x" },
      { DATABASE_URL: "mysql://shop:shop@db/x" },
      { REDIS_URL: "redis://:secret@redis:6379" },
      { JDBC_URL: "jdbc:postgresql://db/x?user=app&password=postgres" },
      { NEO4J_AUTH: "neo4j/neo4j" },
    ].map((environment): [string, Case, readonly string[]] => [
      `an account within ${Object.keys(environment).join()}`,
      changed("gateway", { environment }),
      ["default-accounts"],
    ]),
    ...[
      { DATABASE_URL: "postgres://app:kQ8vTz3mWn5xYb7cRd2fPq6s@db:5432/x" },
      { DATABASE_URL: "postgres://db:5432/app" },
      { REDIS_URL: "redis://redis:6379" },
      { PROXY_AUTH: "https://login.example/auth" },
      { NEO4J_AUTH: "none" },
      { IMAGE: "user/user" },
    ].map((environment): [string, Case, readonly string[]] => [
      `nothing well-known within ${Object.values(environment).join()}`,
      changed("gateway", { environment }),
      [],
    ]),
    ["a switch called like a secret", changed("gateway", { environment: { USE_PASSWORD: "true" } }), []],
    ["plain HTTP", { services: network, config: { public: { tls: "off" } } }, ["no-tls"]],
    ["plain HTTP beside TLS", changed("gateway", port("0.0.0.0", "8080")), ["no-tls"]],
    ["the port of TLS with something else behind it", changed("proxy", port(undefined, "443", 9000)), ["no-tls"]],
    ["somebody else's proxy", { config: { ...tls, compose: { base: "stack.yaml" } } }, ["no-tls"]],
    ["the proxy on another port", changed("proxy", port("0.0.0.0", "8443")), ["no-tls"]],
    ["a database by its image", store("library/postgres", 7001), ["no-tls", "open-data-store"]],
    ["a database by its port", store("somebody/thing", 6379), ["no-tls", "open-data-store"]],
    ["no memory limit", changed("gateway", { mem_limit: undefined }), ["no-limits"]],
    ["no process limit", changed("gateway", { pids_limit: undefined }), ["no-limits"]],
    ["the raw socket", { ...changed("gateway", { volumes: [socket] }) }, ["raw-socket"]],
    ["a directory of credentials", changed("gateway", { volumes: [folder] }), ["credential-directories"]],
    ["one file of them", changed("gateway", { volumes: [{ ...folder, source: "/home/alice/.claude/x" }] }), []],
    ["a tag", changed("gateway", { image: "demo:1" }), ["unpinned-images"]],
    ["an image that is built here", changed("gateway", { image: "demo:1", build: { context: "/srv/demo" } }), []],
  ])("%s", (_situation, parts, expected) => {
    expect(failing(parts)).toEqual(expected.map((item) => `error ${item}`));
    const config = { ...tls, ...parts.config, ...accepting(...expected) };
    expect(failing({ ...parts, config })).toEqual([]);
    expect(planFor({ services: front, ...parts, config }).exposure).toMatchObject({
      failed: expected,
      accepted: expected.map((name) => ({ name, reason: "because a test says so" })),
    });
  });

  test("no value of a secret is told", () => {
    const { findings } = plan(changed("gateway", { environment: { DB_PASSWORD: "changeme" } }));
    expect(JSON.stringify(findings)).not.toContain("changeme");
  });

  test("a rollback runs images that its record names by id", () => {
    const stack = { detection: { mode: "local", because: { text: "then", rule: "recorded" } } } as const;
    expect(failing({ ...changed("gateway", { image: "demo:1" }), stack })).toEqual([]);
  });
});

describe("against the last deployment", () => {
  const plain = { services: network, config: { public: { tls: "off" } } };
  const at = (exposed: LastExposure | undefined, parts: Case = plain) => ({
    asks: question({ ...parts, exposed }).length,
    failing: failing({ ...parts, exposed }),
  });

  test("going further is a question, and what does not hold refuses", () => {
    expect(at(undefined)).toEqual({ asks: 1, failing: ["error no-tls"] });
    expect(at({ level: "loopback", failed: [] })).toEqual({ asks: 1, failing: ["error no-tls"] });
    expect(at({ level: "network", failed: ["no-tls"] }, {})).toEqual({ asks: 1, failing: [] });
  });

  test("staying is none, and what did not hold then is a warning", () => {
    expect(at({ level: "network", failed: ["no-tls"] })).toEqual({ asks: 0, failing: ["warning no-tls"] });
    expect(at({ level: "public", failed: ["no-tls"] })).toEqual({ asks: 0, failing: ["warning no-tls"] });
  });

  test("what held then and does not any more refuses", () => {
    expect(at({ level: "network", failed: [] })).toEqual({ asks: 0, failing: ["error no-tls"] });
  });

  test("what an earlier version deployed is not stopped for what it did not look at", () => {
    expect(at({ level: "network", failed: undefined })).toEqual({ asks: 0, failing: ["warning no-tls"] });
  });

  test("the question is answered by --yes, or in the configuration with a reason", () => {
    const [open] = question({});
    expect(open?.acceptedBy).toBeUndefined();
    expect(question({ options: { confirmed: true } })[0]?.acceptedBy).toBe("--yes");
    expect(question({ config: { ...tls, ...accepting("exposure") } })[0]?.acceptedBy).toBe(
      "deploy.config.yaml: because a test says so",
    );
    // Neither is an answer to what does not hold.
    expect(failing({ ...plain, options: { confirmed: true } })).toEqual(["error no-tls"]);
    expect(exposureItems).toHaveLength(8);
  });
});
