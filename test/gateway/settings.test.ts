import { describe, expect, it } from "vitest";
import { readSettings } from "../../src/gateway/settings.ts";

const files: Record<string, string> = {
  "/config": "sandbox:\n  use: deerflow.community.aio_sandbox:AioSandboxProvider\n",
  "/local": "sandbox:\n  use: deerflow.sandbox.local:LocalSandboxProvider\n",
  "/key": "gateway-key\n",
  "/empty": "\n",
  "/two-lines": "one\ntwo\n",
  "/password": "store-password",
};
const complete = {
  GATEWAY_CONFIG: "/config",
  GATEWAY_API_KEY_FILE: "/key",
  STORE_PASSWORD_FILE: "/password",
  DOCKER_HOST: "unix:///run/guard/docker.sock",
  SANDBOX_IMAGE: "sandbox-deploy/sandbox:0.1.0",
  SANDBOX_PROJECT: "agents",
};

function read(changes: Record<string, string | undefined> = {}) {
  return readSettings({ ...complete, ...changes }, (path) => {
    const text = files[path];
    if (text === undefined) throw new Error("ENOENT: no such file or directory");
    return text;
  });
}

function problemsOf(changes: Record<string, string | undefined>): readonly string[] {
  const result = read(changes);
  return result.ok ? [] : result.problems;
}

describe("the settings", () => {
  it("have defaults for everything but what only the operator can know", () => {
    expect(read()).toMatchObject({
      ok: true,
      settings: {
        host: "0.0.0.0",
        port: 8080,
        apiKey: "gateway-key",
        store: { host: "store", port: 6379, password: "store-password" },
        limits: { timeoutSecondsMax: 60, outputBytesMax: 262_144, codeBytesMax: 65_536, concurrencyMax: 4 },
        rateLimitPerMinute: 60,
        trustedProxy: undefined,
        sandbox: {
          mode: "aio",
          address: { kind: "unix", socketPath: "/run/guard/docker.sock" },
          container: { memoryBytes: 536_870_912, cpus: 1, pids: 128, network: "none", project: "agents" },
        },
      },
    });
  });

  it("name the platform's configuration as the operator does, in refusals and in problems", () => {
    const changes = { GATEWAY_CONFIG: "/local", GATEWAY_CONFIG_NAME: "conf/agents.yaml" };
    const result = read(changes);
    expect(result.ok && result.settings.sandbox).toMatchObject({
      because: expect.stringContaining("conf/agents.yaml sandbox.use = "),
      refusal: expect.stringContaining("set sandbox.allow_host_bash: true in conf/agents.yaml if"),
    });
    expect(problemsOf({ ...changes, GATEWAY_CONFIG: "/two-lines" }).join()).toContain("conf/agents.yaml: there is no");
  });

  it("need no Docker engine and no image where the mode is local", () => {
    const changes = {
      GATEWAY_CONFIG: "/local",
      DOCKER_HOST: undefined,
      SANDBOX_IMAGE: undefined,
      SANDBOX_PROJECT: undefined,
    };
    expect(problemsOf(changes)).toEqual([]);
  });

  it("report everything that is wrong at once", () => {
    const problems = problemsOf({
      PORT: "0",
      GATEWAY_API_KEY_FILE: "/empty",
      STORE_URL: "http://store",
      SANDBOX_MEMORY: "lots",
      SANDBOX_IMAGE: "",
      RATE_LIMIT_PER_MINUTE: "1e3",
    });
    for (const name of ["PORT", "GATEWAY_API_KEY_FILE", "STORE_URL", "SANDBOX_MEMORY", "SANDBOX_IMAGE", "RATE_LIMIT"]) {
      expect(problems.filter((problem) => problem.startsWith(name))).toHaveLength(1);
    }
    expect(problems).toHaveLength(6);
  });

  it.each([
    ["an empty API key file", { GATEWAY_API_KEY_FILE: "/empty" }, "is empty"],
    ["a missing API key file", { GATEWAY_API_KEY_FILE: "/nowhere" }, "cannot be read"],
    ["no API key file", { GATEWAY_API_KEY_FILE: "" }, "is not set"],
    ["an API key of two lines", { GATEWAY_API_KEY_FILE: "/two-lines" }, "one line"],
    ["an empty store password", { STORE_PASSWORD_FILE: "/empty" }, "is empty"],
    ["a password in STORE_URL", { STORE_URL: "redis://:pw@store:6379" }, "must not hold a password"],
    ["no engine in aio mode", { DOCKER_HOST: "" }, "DOCKER_HOST is not set, but the sandbox mode is aio"],
    ["an engine over SSH", { DOCKER_HOST: "ssh://root@host" }, "only unix:///path and tcp://host:port"],
    ["the host's network", { SANDBOX_NETWORK: "host" }, "never host"],
    ["another container's network", { SANDBOX_NETWORK: "container:store" }, "SANDBOX_NETWORK"],
    ["a project that is no Compose name", { SANDBOX_PROJECT: "My Agents" }, "SANDBOX_PROJECT"],
    ["code longer than Linux takes as an argument", { RUN_CODE_BYTES_MAX: "131072" }, "from 1 to 131071"],
    ["less memory than a container can start with", { SANDBOX_MEMORY: "1m" }, "SANDBOX_MEMORY"],
    ["a missing configuration", { GATEWAY_CONFIG: "/nowhere" }, "GATEWAY_CONFIG: /nowhere cannot be read"],
  ])("refuse %s", (_what, changes, problem) => {
    expect(problemsOf(changes).join("\n")).toContain(problem);
  });

  it.each([
    ["512m", 536_870_912],
    ["1g", 1_073_741_824],
    ["1.5G", 1_610_612_736],
    ["67108864", 67_108_864],
    ["65536k", 67_108_864],
  ])("read the memory size %s as Docker does", (text, memoryBytes) => {
    expect(read({ SANDBOX_MEMORY: text })).toMatchObject({ settings: { sandbox: { container: { memoryBytes } } } });
  });

  it.each([
    ["tcp://guard:2375", { kind: "tcp", host: "guard", port: 2375 }],
    ["tcp://[::1]:2375", { kind: "tcp", host: "::1", port: 2375 }],
    ["unix:///a/b.sock", { kind: "unix", socketPath: "/a/b.sock" }],
  ])("understand DOCKER_HOST=%s", (DOCKER_HOST, docker) => {
    expect(read({ DOCKER_HOST })).toMatchObject({ settings: { docker } });
  });

  it("never show a secret in a problem", () => {
    const problems = problemsOf({ PORT: "x", STORE_URL: "redis://:hunter2@store" }).join("\n");
    expect(problems).not.toMatch(/gateway-key|store-password|hunter2/);
  });
});
