import { describe, expect, it } from "vitest";
import { readPlatformConfig } from "../../src/gateway/platform-config.ts";

const path = "/etc/gateway/config.yaml";
const aio = "deerflow.community.aio_sandbox:AioSandboxProvider";
const local = "deerflow.sandbox.local:LocalSandboxProvider";
const env = { PROVISIONER_URL: "http://provisioner:8002", KEY: "k-123", EMPTY: "" };

function read(text: string) {
  return readPlatformConfig(text, path, env);
}

function choiceOf(text: string) {
  const result = read(text);
  if (!result.ok) throw new Error(result.problems.join("\n"));
  return result.choice;
}

describe("the platform's configuration", () => {
  it.each([
    ["no provisioner_url", `sandbox:\n  use: ${aio}\n`, "aio"],
    [
      "the full module path",
      "sandbox:\n  use: deerflow.community.aio_sandbox.aio_sandbox_provider:AioSandboxProvider",
      "aio",
    ],
    ["a null provisioner_url", `sandbox:\n  use: ${aio}\n  provisioner_url: ~\n`, "aio"],
    ["an empty provisioner_url", `sandbox:\n  use: ${aio}\n  provisioner_url: ""\n`, "aio"],
    ["YAML 1.1's other false", `sandbox:\n  use: ${aio}\n  provisioner_url: off\n`, "aio"],
    ["an empty variable", `sandbox:\n  use: ${aio}\n  provisioner_url: $EMPTY\n`, "aio"],
    ["a provisioner_url in a comment", `sandbox:\n  use: ${aio}\n  # provisioner_url: http://p:1\n`, "aio"],
    ["a provisioner_url elsewhere", `sandbox: {use: "${aio}"}\nother: {provisioner_url: "http://p:1"}\n`, "aio"],
    ["a provisioner_url", `sandbox:\n  use: ${aio}\n  provisioner_url: http://p:8002\n`, "provisioner"],
    ["a variable that holds one", `sandbox:\n  use: ${aio}\n  provisioner_url: $PROVISIONER_URL\n`, "provisioner"],
    [
      "a byte order mark and CRLF",
      `\uFEFFsandbox:\r\n  use: ${aio}\r\n  provisioner_url: http://p:1\r\n`,
      "provisioner",
    ],
    [
      "a merge key",
      `base: &base {provisioner_url: "http://p:1"}\nsandbox:\n  <<: *base\n  use: ${aio}\n`,
      "provisioner",
    ],
    ["a duplicate key, of which the last wins", `sandbox:\n  use: ${aio}\nsandbox:\n  use: ${local}\n`, "local"],
    ["the local provider", `sandbox:\n  use: ${local}\n`, "local"],
    ["a class that differs in case", "sandbox:\n  use: deerflow.community.aio_sandbox:aiosandboxprovider\n", "local"],
    ["the same class in another module", "sandbox:\n  use: acme.sandbox:AioSandboxProvider\n", "local"],
  ])("with %s gives the mode its runtime would choose", (_what, text, mode) => {
    expect(choiceOf(text).mode).toBe(mode);
  });

  it("hands the provisioner's address and key over with variables resolved", () => {
    const text = `sandbox:\n  use: ${aio}\n  provisioner_url: $PROVISIONER_URL\n  provisioner_api_key: $KEY\n`;
    expect(choiceOf(text)).toMatchObject({ provisionerUrl: "http://provisioner:8002", provisionerApiKey: "k-123" });
  });

  it.each([
    ["absent", "", true],
    ["false", "\n  allow_host_bash: false", true],
    ["no", "\n  allow_host_bash: no", true],
    ["a string that is not true", '\n  allow_host_bash: "no"', true],
    ["true", "\n  allow_host_bash: true", false],
    ["yes, which is YAML 1.1 for true", "\n  allow_host_bash: yes", false],
  ])("lets local code run only when allow_host_bash is true: %s", (_what, line, refused) => {
    const choice = choiceOf(`sandbox:\n  use: ${local}${line}\n`);
    expect(choice.mode === "local" && choice.refusal !== undefined).toBe(refused);
  });

  it("names a provider that it does not know in the refusal, whatever allow_host_bash says", () => {
    const choice = choiceOf("sandbox:\n  use: acme.e2b:E2BSandboxProvider\n  allow_host_bash: true\n");
    expect(choice).toMatchObject({ mode: "local", refusal: expect.stringContaining("acme.e2b:E2BSandboxProvider") });
  });

  it.each([
    [
      "an unset variable anywhere",
      `sandbox:\n  use: ${aio}\nmodels:\n  - key: $NOT_SET\n`,
      "models[0].key names the environment variable NOT_SET",
    ],
    [
      "a braced variable, which is a different name",
      `sandbox:\n  use: ${aio}\n  provisioner_url: \${KEY}\n`,
      "sandbox.provisioner_url",
    ],
    ["no sandbox", "models: []\n", 'no top-level mapping "sandbox"'],
    ["an empty file", "", 'no top-level mapping "sandbox"'],
    ["no provider", "sandbox: {}\n", "sandbox.use is missing"],
    ["a second document", `sandbox:\n  use: ${aio}\n---\na: 1\n`, "not valid YAML"],
    ["a tab as indentation", `sandbox:\n\tuse: ${aio}\n`, "not valid YAML"],
    ["a Python object tag", `sandbox:\n  use: ${aio}\nx: !!python/object:os.system {}\n`, "not valid YAML"],
    [
      "a provisioner_url that is no address",
      `sandbox:\n  use: ${aio}\n  provisioner_url: provisioner\n`,
      "provisioner_url must be",
    ],
    [
      "credentials in provisioner_url",
      `sandbox:\n  use: ${aio}\n  provisioner_url: http://a:b@p:1\n`,
      "must not hold credentials",
    ],
  ])("is refused with %s", (_what, text, problem) => {
    const result = read(text);
    expect(result.ok ? [] : result.problems.join("\n")).toContain(problem);
  });

  it("never repeats a value in a problem, since any may be a secret", () => {
    for (const text of [
      "a: $ecret-Value!\nsandbox: {}",
      "key: 's3cret\nsandbox: {",
      "sandbox:\n  use: x:y\n key: s3cret",
    ]) {
      const result = read(text);
      expect(result.ok).toBe(false);
      expect(JSON.stringify(result)).not.toMatch(/s3cret|ecret-Value/);
    }
  });
});
