import { describe, expect, it } from "vitest";
import { detectMode } from "../../../src/core/detect/detect.ts";
import { detectionRulesSchema } from "../../../src/core/detect/detection-rules.ts";
import { aio, detect, environment, local, sandbox, verdict } from "./detection.ts";

describe("with an environment that is not known", () => {
  it.each([
    ["a use from it", sandbox("$SANDBOX_USE"), "D021"],
    ["a provisioner_url from it", sandbox(aio, "provisioner_url: $PROVISIONER_URL"), "D021"],
    ["a provisioner_url that has no meaning", sandbox(local, "provisioner_url: $PROVISIONER_URL"), "local"],
    ["a key elsewhere", `k: $KEY\n${sandbox(aio)}`, "aio"],
  ])("%s gives %s", (_name, text, _expected) => {
    expect(verdict(text, { environment: undefined })).toBe(_expected);
    expect(detect(text, { environment: undefined }).findings).toContainEqual(expect.objectContaining({ code: "D021" }));
  });

  it("names the variable and --env-file", () => {
    expect(detect(sandbox("$SANDBOX_USE"), { environment: undefined }).findings).toContainEqual(
      expect.objectContaining({
        message: expect.stringContaining("SANDBOX_USE"),
        fix: expect.stringContaining("--env-file"),
      }),
    );
  });
});

describe("a forced mode", () => {
  const forced = { mode: "aio", at: "deploy.config.yaml:9" } as const;

  it("says so in its because", () => {
    expect(detect(sandbox(aio), { forced })).toMatchObject({
      value: {
        mode: "aio",
        because: { text: "forced by deploy.config.yaml:9", rule: "forced", file: "deploy.config.yaml", line: 9 },
      },
      findings: [],
    });
  });

  it("warns when the configuration says otherwise", () => {
    expect(detect(sandbox(local), { forced })).toMatchObject({
      value: { mode: "aio" },
      findings: [{ code: "D025", severity: "warning", at: { file: "deploy.config.yaml", line: 9 } }],
    });
  });

  it.each([
    ["that is broken", "sandbox: {", "D010"],
    ["without a sandbox section", "models: []", "D024"],
    ["with an unset variable", `k: $NOT_SET\n${sandbox(aio)}`, "D021"],
  ])("does not hide a file %s", (_name, text, expected) => expect(verdict(text, { forced })).toBe(expected));

  it("needs no environment and no file", () => {
    expect(verdict(sandbox("$SANDBOX_USE"), { forced, environment: undefined })).toBe("aio");
    expect(detectMode({ rules: "deer-flow", environment: undefined, forced })).toMatchObject({
      ok: true,
      findings: [],
    });
  });

  it("is what names an unknown provider", () => {
    expect(detect(sandbox("my.pkg:Own"), { forced: { ...forced, mode: "local" } }).findings).toEqual([]);
  });
});

describe("rules of one's own", () => {
  const rules = detectionRulesSchema.parse({
    rules: [
      { variable: "RUNTIME", equals: "k8s", mode: "provisioner" },
      { key: "runtime.kind", equals: "docker", mode: "aio", name: "docker runtime" },
      { key: "runtime.docker", mode: "aio" },
      { key: "runtime.image", matches: "^ghcr\\.io/", mode: "aio" },
    ],
    default: "local",
  });

  it.each([
    ["a variable", "", [["RUNTIME", "k8s"]], "provisioner", "the gateway's environment: RUNTIME = k8s"],
    ["a nested key", "runtime: {kind: docker}", [], "aio", "config.yaml:1 runtime.kind = docker"],
    ["a key that is set", "runtime:\n  docker: yes", [], "aio", "config.yaml:2 runtime.docker is set"],
    ["a key that is false", "runtime: {docker: no}", [], "local", "no detection rule holds: the default"],
    ["a pattern", "runtime: {image: ghcr.io/x}", [], "aio", "config.yaml:1 runtime.image matches /^ghcr\\.io//"],
    [
      "the first that holds",
      "runtime: {kind: docker}",
      [["RUNTIME", "k8s"]],
      "provisioner",
      "the gateway's environment: RUNTIME = k8s",
    ],
    ["a list where a mapping is named", "runtime: [docker]", [], "local", "no detection rule holds: the default"],
    [
      "a reference, which is DeerFlow's notation",
      "runtime: {kind: $KIND}",
      [["KIND", "docker"]],
      "local",
      "no detection rule holds: the default",
    ],
  ] as const)("%s", (_name, text, variables, mode, because) => {
    const outcome = detect(text, { rules, environment: new Map(variables) });
    expect(outcome).toMatchObject({ ok: true, value: { mode, because: { text: because } } });
  });

  it("without a default fall to local with a warning", () => {
    const bare = detectionRulesSchema.parse({ rules: [{ key: "a", equals: "b", mode: "aio" }] });
    expect(detect("a: c", { rules: bare })).toMatchObject({
      ok: true,
      value: { mode: "local" },
      findings: [{ code: "D023" }],
    });
  });

  it("go on with the built-in rules where these are the default", () => {
    const own = detectionRulesSchema.parse({
      rules: [{ key: "sandbox.use", equals: "my.pkg:Own", mode: "aio" }],
      default: "deer-flow",
    });
    expect(verdict(sandbox("my.pkg:Own"), { rules: own })).toBe("aio");
    expect(verdict(sandbox("$OWN"), { rules: own, environment: new Map([["OWN", "my.pkg:Own"]]) })).toBe("aio");
    expect(verdict(sandbox(local), { rules: own })).toBe("local");
    expect(verdict(sandbox("my.pkg:Own", "k: $NOT_SET"), { rules: own })).toBe("D021");
    expect(verdict(sandbox("$OWN"), { rules: own, environment: undefined })).toBe("D021");
  });

  it("that read only the environment need no file", () => {
    const bare = detectionRulesSchema.parse({ rules: [{ variable: "M", equals: "x", mode: "aio" }], default: "local" });
    expect(detectMode({ rules: bare, environment: new Map([["M", "x"]]) })).toMatchObject({
      ok: true,
      value: { mode: "aio" },
    });
    expect(detectMode({ rules: bare, environment: undefined })).toMatchObject({
      ok: false,
      findings: [{ code: "D021" }],
    });
    expect(detectMode({ rules, environment })).toMatchObject({ ok: false, findings: [{ code: "D024" }] });
  });

  it("never show a value that the rule does not itself say", () => {
    const bare = detectionRulesSchema.parse({ rules: [{ key: "token", matches: "^sen", mode: "aio" }] });
    expect(JSON.stringify(detect("token: sentinel", { rules: bare }))).not.toContain("sentinel");
  });

  it.each([
    [{ mode: "aio" }, "needs a key"],
    [{ key: "a", variable: "B", mode: "aio" }, "not at both"],
    [{ key: "a", equals: "x", matches: "y", mode: "aio" }, "not both"],
    [{ key: "a", matches: "(", mode: "aio" }, "is not a regular expression"],
  ])("%j is refused with the reason", (rule, message) => {
    const parsed = detectionRulesSchema.safeParse({ rules: [rule] });
    expect(parsed.error?.issues).toMatchObject([{ message: expect.stringContaining(message) }]);
  });

  it.each([
    [{ key: "a..b", mode: "aio" }],
    [{ variable: "$A", mode: "aio" }],
    [{ key: "a", mode: "docker" }],
    [{ key: "a", equal: "x", mode: "aio" }],
  ])("%j is refused", (rule) => expect(detectionRulesSchema.safeParse({ rules: [rule] }).success).toBe(false));
});
