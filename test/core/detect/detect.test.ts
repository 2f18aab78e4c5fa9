import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aio, detect, local, sandbox, verdict } from "./detection.ts";

describe("the provider decides", () => {
  it.each([
    [aio, "aio"],
    ["deerflow.community.aio_sandbox.aio_sandbox_provider:AioSandboxProvider", "aio"],
    [local, "local"],
    ["deerflow.sandbox.local.local_sandbox_provider:LocalSandboxProvider", "local"],
    ["deerflow.community.e2b_sandbox:E2BSandboxProvider", "local"],
    ["deerflow.community.e2b_sandbox.e2b_sandbox_provider:E2BSandboxProvider", "local"],
    ["deerflow.community.tenki:TenkiSandboxProvider", "local"],
    ["deerflow.community.tenki.provider:TenkiSandboxProvider", "local"],
    ["deerflow.community.boxlite:BoxliteProvider", "local"],
    ["deerflow.community.boxlite.provider:BoxliteProvider", "local"],
    ["$SANDBOX_USE", "aio"],
    ["mycorp.sandboxes:OwnProvider", "local"],
    ["deerflow.community.aio_sandbox:aiosandboxprovider", "D020"],
    ["deerflow.community.aio_sandbox:AioSandbox", "D020"],
    ["deerflow.community.aio:AioSandboxProvider", "D020"],
    ["src.community.aio_sandbox:AioSandboxProvider", "D020"],
    ["deerflow.sandbox.local:AioSandboxProvider", "D020"],
    ["deerflow.community.aio_sandbox.AioSandboxProvider", "D020"],
    ["':AioSandboxProvider'", "D020"],
    ["'deerflow.community.aio_sandbox:'", "D020"],
    ["'deerflow.community.aio_sandbox:AioSandboxProvider '", "D020"],
    ["' deerflow.community.aio_sandbox:AioSandboxProvider'", "D020"],
    ["'.aio_sandbox:AioSandboxProvider'", "D020"],
    ["$EMPTY", "D020"],
    ["''", "D020"],
    ["$DOLLAR", "D020"],
    ["$NOT_SET", "D021"],
    ["${SANDBOX_USE}", "D021"],
    ["$", "D021"],
    ["", "D024"],
    ["~", "D024"],
    ["no", "D024"],
    ["12", "D024"],
    [`[${aio}]`, "D024"],
  ])("use: %s gives %s", (use, expected) => expect(verdict(sandbox(use))).toBe(expected));
});

describe("with the container provider, a truthy provisioner_url means provisioner", () => {
  it.each([
    ["http://provisioner:8002", "provisioner"],
    ["$PROVISIONER_URL", "provisioner"],
    ["x$PROVISIONER_URL", "provisioner"],
    ["$DOLLAR", "provisioner"],
    ["'false'", "provisioner"],
    ["' '", "provisioner"],
    ["'0'", "provisioner"],
    ["n", "provisioner"],
    ["true", "provisioner"],
    ["1", "provisioner"],
    ["[x]", "provisioner"],
    ["", "aio"],
    ["~", "aio"],
    ["null", "aio"],
    ["''", "aio"],
    ["$EMPTY", "aio"],
    ["false", "aio"],
    ["off", "aio"],
    ["0", "aio"],
    ["0.0", "aio"],
    ["[]", "aio"],
    ["{}", "aio"],
    ["# http://provisioner:8002", "aio"],
    ["$NOT_SET", "D021"],
    ["${PROVISIONER_URL}", "D021"],
  ])("provisioner_url: %s gives %s", (url, expected) => {
    expect(verdict(sandbox(aio, `provisioner_url: ${url}`))).toBe(expected);
  });

  it("has no meaning with another provider", () => {
    expect(verdict(sandbox(local, "provisioner_url: http://provisioner:8002"))).toBe("local");
  });
});

describe("only what the platform's runtime reads counts", () => {
  it.each([
    ["a commented use", `sandbox:\n  # use: ${aio}\n  use: ${local}\n`, "local"],
    ["a commented section", `#sandbox:\n#  use: ${aio}\nsandbox: {use: "${local}"}\n`, "local"],
    ["a section nested elsewhere", `tools:\n  sandbox:\n    use: ${aio}\nsandbox:\n  use: ${local}\n`, "local"],
    ["a section inside a block of text", `doc: |\n  sandbox:\n    use: ${aio}\nsandbox:\n  use: ${local}\n`, "local"],
    ["a use nested below the section", `sandbox:\n  use: ${local}\n  options:\n    use: ${aio}\n`, "local"],
    ["a nested provisioner_url", `sandbox:\n  use: ${aio}\n  environment:\n    provisioner_url: http://p\n`, "aio"],
    ["a top-level provisioner_url", `provisioner_url: http://p\nsandbox:\n  use: ${aio}\n`, "aio"],
    ["a key in another case", `sandbox:\n  use: ${aio}\n  Provisioner_URL: http://p\n`, "aio"],
    ["the last of two sections", `sandbox:\n  use: ${aio}\nsandbox:\n  use: ${local}\n`, "local"],
    ["the last of two uses", `sandbox:\n  use: ${local}\n  use: ${aio}\n`, "aio"],
    ["flow style", `{sandbox: {use: "${aio}", provisioner_url: "http://p"}}`, "provisioner"],
    ["JSON", `{"sandbox":{"use":"${aio}"}}`, "aio"],
    ["quoted keys", `"sandbox":\n  'use': '${aio}'\n`, "aio"],
    ["CRLF", `sandbox:\r\n  use: ${aio}\r\n  provisioner_url: ''\r\n`, "aio"],
    ["a byte order mark", `\uFEFFsandbox:\n  use: ${aio}\n`, "aio"],
    ["an alias of the section", `x: &s {use: "${aio}"}\nsandbox: *s\n`, "aio"],
    ["an alias of the value", `x: &u ${aio}\nsandbox:\n  use: *u\n`, "aio"],
    ["a merge key", `x: &s {use: "${aio}", provisioner_url: http://p}\nsandbox:\n  <<: *s\n`, "provisioner"],
    ["a merge key that is overridden", `x: &s {use: "${aio}"}\nsandbox:\n  <<: *s\n  use: ${local}\n`, "local"],
    ["a folded value", `sandbox:\n  use: >-\n    ${aio}\n`, "aio"],
    ["a line separator in a comment", `sandbox:\n  use: ${local} #\u2028  provisioner_url: x\n`, "D010"],
    ["no section", "models: []\n", "D024"],
    ["an empty file", "", "D024"],
    ["a null section", "sandbox:\n", "D024"],
    ["a section that is text", `sandbox: ${local}\n`, "D024"],
    ["a section that is a list", `sandbox:\n  - use: ${local}\n`, "D024"],
    ["a section from the environment", "sandbox: $SANDBOX_USE\n", "D024"],
    ["a top-level key that is no text", `on: 1\nsandbox:\n  use: ${aio}\n`, "D020"],
    ["a key of the section that is no text", `sandbox:\n  use: ${aio}\n  8080: x\n`, "D020"],
    ["an unset variable elsewhere", `models:\n  - api_key: $NOT_SET\nsandbox:\n  use: ${local}\n`, "D021"],
    ["an unset variable that a duplicate hides", `k: $NOT_SET\nk: x\nsandbox:\n  use: ${local}\n`, "local"],
    ["a $ later in a value", `k: a$NOT_SET\nsandbox:\n  use: ${local}\n`, "local"],
    ["a $ in a key", `$NOT_SET: x\nsandbox:\n  use: ${local}\n`, "local"],
    ["a second document", `sandbox:\n  use: ${local}\n---\nsandbox:\n  use: ${aio}\n`, "D020"],
  ])("%s", (_name, text, expected) => expect(verdict(text)).toBe(expected));
});

describe("the because", () => {
  it.each([
    [sandbox(local), "config.yaml:2 sandbox.use = …LocalSandboxProvider"],
    [sandbox(aio), "config.yaml:2 sandbox.use = …AioSandboxProvider, no provisioner_url"],
    [sandbox(aio, "provisioner_url: ''"), "config.yaml:2 sandbox.use = …AioSandboxProvider, provisioner_url empty"],
    [
      sandbox(aio, "provisioner_url: http://p:8002/v1"),
      "config.yaml:2 sandbox.use = …AioSandboxProvider, provisioner_url = http://p:8002",
    ],
    [
      sandbox("$SANDBOX_USE", "provisioner_url: $PROVISIONER_URL"),
      "config.yaml:2 sandbox.use = …AioSandboxProvider (from $SANDBOX_USE), provisioner_url = http://provisioner:8002 (from $PROVISIONER_URL)",
    ],
    [
      sandbox("deerflow.community.boxlite:BoxliteProvider"),
      "config.yaml:2 sandbox.use = …BoxliteProvider (BoxLite, micro-VMs on the host)",
    ],
    [`x: &u\n  ${aio}\nsandbox:\n  use: *u\n`, "config.yaml:4 sandbox.use = …AioSandboxProvider, no provisioner_url"],
    [`x: &s\n  use: ${local}\nsandbox:\n  <<: *s\n`, "config.yaml:2 sandbox.use = …LocalSandboxProvider"],
  ])("of %j", (text, expected) => {
    const outcome = detect(text);
    expect(outcome.ok && outcome.value.because.text).toBe(expected);
  });

  it("says the same in fields", () => {
    expect(detect(sandbox("$SANDBOX_USE"))).toMatchObject({
      value: { because: { file: "config.yaml", line: 2, key: "sandbox.use", value: aio, rule: "deer-flow" } },
    });
  });

  it.each([
    "http://user:sentinel@p:8002",
    "http://sentinel@p",
    "http://p/sentinel?key=sentinel#sentinel",
    "user:sentinel@p",
    "http://user:1/sentinel@p",
    "http://user:12@34/sentinel@p",
    "postgres://p/sentinel",
    "sentinel",
  ])("never shows more of a URL than its host: %s", (url) => {
    const outcome = detect(sandbox(aio, `provisioner_url: ${JSON.stringify(url)}`, "provisioner_api_key: sentinel"));
    expect(outcome).toMatchObject({ ok: true, value: { mode: "provisioner" } });
    expect(JSON.stringify(outcome)).not.toContain("sentinel");
  });

  it("never repeats a password that starts with $", () => {
    const { findings } = detect(`db:\n  password: $entinel\n${sandbox(local)}`);
    expect(findings).toMatchObject([
      { code: "D021", at: { line: 2 }, message: expect.stringContaining("db.password") },
    ]);
    expect(JSON.stringify(findings)).not.toContain("entinel");
  });
});

describe("warnings", () => {
  it("names the rule that would name an unknown provider", () => {
    expect(detect(sandbox("my.pkg:Own")).findings).toMatchObject([
      { code: "D023", severity: "warning", at: { line: 2 }, fix: expect.stringContaining('equals: "my.pkg:Own"') },
    ]);
  });

  it("tells of a provisioner_url that is no text", () => {
    expect(detect(sandbox(aio, "provisioner_url: true")).findings).toMatchObject([
      { code: "D020", severity: "warning" },
    ]);
  });

  it("keeps the warning of a duplicate key with the mode", () => {
    expect(detect(`sandbox:\n  use: ${local}\n  use: ${aio}\n`)).toMatchObject({
      ok: true,
      findings: [{ code: "D022", at: { line: 3 } }],
    });
  });

  it("reports every unset variable at its place", () => {
    const { findings } = detect(`a: $ONE\nb: [$TWO, {c: $THREE}]\n${sandbox(local)}`);
    expect(findings.map(({ at }) => `${at?.line}:${at?.column}`)).toEqual(["1:4", "2:5", "2:15"]);
  });
});

describe("whatever the file", () => {
  const word = fc.constantFrom(
    "sandbox",
    "use",
    "provisioner_url",
    aio,
    local,
    "my.pkg:Own",
    "$SANDBOX_USE",
    "http://p",
    "no",
    "''",
    "x",
  );
  const line = fc.tuple(fc.nat(3), word, fc.constantFrom(":", ": ", " #", "\t", "?", ""), word);
  const text = fc
    .array(line, { maxLength: 8 })
    .map((lines) =>
      lines.map(([depth, left, middle, right]) => " ".repeat(2 * depth) + left + middle + right).join("\n"),
    );

  it("a mode other than local needs the container provider in the file or the environment", () => {
    fc.assert(
      fc.property(text, (yaml) => {
        const outcome = detect(yaml);
        return (
          !outcome.ok ||
          outcome.value.mode === "local" ||
          outcome.value.because.value?.endsWith(":AioSandboxProvider") === true
        );
      }),
    );
  });

  it("comments and spacing around the section change nothing but the line", () => {
    const noise = fc.array(fc.constantFrom("", "# sandbox:", `#   use: ${aio}`, "   # x", "other: 1"), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(noise, fc.constantFrom(aio, local), fc.constantFrom("\n", "\r\n"), (lines, use, lineBreak) => {
        const document = [...new Set(lines), "sandbox:", `  use: ${use}`, ""].join(lineBreak);
        const outcome = detect(document);
        return (
          outcome.ok &&
          outcome.value.because.line === new Set(lines).size + 2 &&
          (outcome.value.mode === "aio") === (use === aio)
        );
      }),
    );
  });
});
