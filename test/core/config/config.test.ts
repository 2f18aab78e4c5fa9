import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../src/core/config/config.ts";
import { formatFinding } from "../../../src/core/findings/finding.ts";
import { configOf } from "../plan/plan-facts.ts";

const read = (text: string) => parseConfig({ file: "deploy.config.yaml", text });
const complaints = (text: string) => read(text).findings.map(formatFinding);
const headlines = (text: string) => complaints(text).map((each) => each.split("\n")[0]);

test("a configuration of megabytes is refused before it is read", () => {
  const text = `version: 1\naccept:\n${"  - { privilege: host-root, reason: r }\n".repeat(50_000)}`;
  expect(parseConfig({ file: "deploy.config.yaml", text })).toMatchObject({
    ...{
      ok: false,
      findings: [{ code: "D010", message: expect.stringContaining("which no configuration of this tool has") }],
    },
  });
});

describe("a configuration", () => {
  test("of a version alone has every default", () => {
    const parsed = read("version: 1\n");
    expect(parsed.ok && parsed.value.config).toEqual(configOf());
    expect(configOf()).toMatchObject({
      project: "sandbox-deploy",
      platform: { config: "config.yaml", service: "gateway", detection: "deer-flow" },
      sandbox: { mode: "auto", docker: { socket: "/var/run/docker.sock" }, kubeconfig: "~/.kube/config" },
      compose: { overlays: { always: [] }, proxy: "proxy", onlyIn: {}, envFile: ".env" },
      health: { waitSeconds: 180, settleSeconds: 8, path: "/health" },
      accept: [],
    });
  });

  test("keeps what is written next to the defaults", () => {
    const parsed = read("version: 1\nsandbox:\n  mode: aio\n  docker: { socket: /run/user/1000/docker.sock }\n");
    expect(parsed.ok && parsed.value.config.sandbox).toMatchObject({
      mode: "aio",
      docker: { socket: "/run/user/1000/docker.sock", access: configOf().sandbox.docker.access },
      kubeconfig: "~/.kube/config",
    });
  });

  test("knows where a key was written, or else its nearest parent, or else only the file", () => {
    const parsed = read("version: 1\n\nsandbox:\n  mode: aio\n");
    if (!parsed.ok) throw new Error("it did not parse");
    const { positionOf } = parsed.value;
    expect(positionOf(["sandbox", "mode"])).toMatchObject({ line: 4, column: 3, text: "  mode: aio" });
    expect(positionOf(["sandbox", "docker", "socket"])).toMatchObject({ line: 3, column: 1 });
    expect(positionOf(["compose", "base"])).toEqual({ file: "deploy.config.yaml" });
  });
});

describe("a configuration that is wrong", () => {
  test("shows the place, the line, a marker and what to do", () => {
    expect(complaints("version: 1\nsandbox:\n  mode: dood\n")).toEqual([
      [
        "deploy.config.yaml:3:9 error D012 sandbox.mode must be one of auto, local, aio, provisioner",
        "  3 |   mode: dood",
        "    |         ^",
        "  fix: set sandbox.mode to one of auto, local, aio, provisioner",
      ].join("\n"),
    ]);
  });

  test.each<[what: string, text: string, expected: string[]]>([
    ["an empty file", "", ["deploy.config.yaml error D013 version is missing"]],
    ["only comments", "# nothing\n", ["deploy.config.yaml error D013 version is missing"]],
    ["another version", "version: 2\n", ["deploy.config.yaml:1:10 error D012 version must be 1"]],
    [
      "an unknown key",
      "version: 1\nsandboxes: {}\n",
      ["deploy.config.yaml:2:1 error D011 sandboxes is not a known key"],
    ],
    [
      "an unknown key further in",
      "version: 1\nhealth:\n  wait: 3\n",
      ["deploy.config.yaml:3:3 error D011 health.wait is not a known key"],
    ],
    [
      "text instead of a mapping",
      "version: 1\nhealth: /health\n",
      ["deploy.config.yaml:2:9 error D013 health must be a mapping"],
    ],
    [
      "text instead of a list",
      "version: 1\naccept: host-root\n",
      ["deploy.config.yaml:2:9 error D013 accept must be a list"],
    ],
    [
      "a number out of bounds",
      "version: 1\nhealth: { waitSeconds: 0 }\n",
      ["deploy.config.yaml:2:24 error D012 health.waitSeconds must be 1 or more"],
    ],
    [
      "an acceptance without a reason",
      "version: 1\naccept:\n  - privilege: host-root\n",
      ["deploy.config.yaml:3:5 error D013 accept[0].reason is missing"],
    ],
    [
      "a reason that is none",
      "version: 1\naccept:\n  - { privilege: host-root, reason: because }\n",
      ["deploy.config.yaml:3:37 error D012 accept[0].reason must have at least 10 characters"],
    ],
    [
      "a key that is there twice",
      "version: 1\nversion: 1\n",
      ["deploy.config.yaml:2:1 error D010 this is not valid YAML: Map keys must be unique"],
    ],
    [
      "two documents",
      "version: 1\n---\nversion: 1\n",
      ["deploy.config.yaml:2:1 error D010 this file holds more than one YAML document"],
    ],
    ["a list at the top", "- version: 1\n", ["deploy.config.yaml error D013 the file must be a mapping"]],
  ])("by %s", (_, text, expected) => {
    expect(headlines(text)).toEqual(expected);
  });

  test("names every problem at once, in the order of the file", () => {
    const text = "version: 1\nprojct: demo\nsandbox:\n  mode: dood\nhealth:\n  path: health\n";
    expect(headlines(text).map((line) => /:(\d+):\d+ error (D\d+)/.exec(line ?? "")?.slice(1))).toEqual([
      ["2", "D011"],
      ["4", "D012"],
      ["6", "D012"],
    ]);
  });

  test.each([
    ["version: 1\nprojct: x\n", "did you mean project?"],
    ["version: 1\nsandbox: { mode: provisoner }\n", "did you mean provisioner?"],
    ["version: 1\ncompose: { overlay: {} }\n", "did you mean compose.overlays?"],
  ])("is met with the nearest thing that exists (%j)", (text, expected) => {
    expect(read(text).findings.map(({ fix }) => fix)).toEqual([expected]);
  });
});

test("no text without aliases makes reading a configuration throw", () => {
  const line = fc.oneof(
    fc.constantFrom(
      "version: 1",
      "sandbox:",
      "  mode: aio",
      "accept:",
      "  - privilege: host-root",
      "---",
      "\t",
      "? [",
      "!!binary x",
      "health: !x {}",
    ),
    fc.string().map((text) => text.replaceAll("*", "-")),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      const parsed = read(lines.join("\n"));
      if (!parsed.ok) expect(parsed.findings.length).toBeGreaterThan(0);
    }),
    { numRuns: 300 },
  );
});

test.each(["sandbox: *nowhere\n", "a: &a [*a, *a]\nversion: 1\n"])(
  "an alias that leads nowhere, or round in circles, is a finding with its place: %j",
  (text) => {
    const parsed = parseConfig({ file: "deploy.config.yaml", text });
    expect(parsed.ok).toBe(false);
    expect(parsed.findings[0]).toMatchObject({ severity: "error", at: { file: "deploy.config.yaml", line: 1 } });
  },
);
