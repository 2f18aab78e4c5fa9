import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { guardPolicyText } from "../../../src/core/stack/guard-policy.ts";

const preset = "# why\nnames: 'x'\nlimits:\n  memory: 512m\n  pids: 128\nlabels: [a, b]\n";
const policyOf = (own: Record<string, unknown>) =>
  parse(guardPolicyText(preset, { preset: "default", ...own }, "demo")) as Record<string, unknown>;

describe("the policy of a stack", () => {
  test("is the preset, owned by the project", () => {
    expect(policyOf({})).toEqual({
      owner: "demo",
      names: "x",
      limits: { memory: "512m", pids: 128 },
      labels: ["a", "b"],
    });
  });

  test("takes the keys of the configuration, within a section one by one, and lists as a whole", () => {
    expect(policyOf({ limits: { memory: "1g" }, labels: ["c"], network: "none" })).toMatchObject({
      limits: { memory: "1g", pids: 128 },
      labels: ["c"],
      network: "none",
    });
  });

  test("takes over whatever is no section as it is, for the guard to judge", () => {
    expect(policyOf({ limits: "many", names: { a: 1 } })).toMatchObject({ limits: "many", names: { a: 1 } });
  });

  test("is the same text for the same configuration, so that nothing is recreated", () => {
    expect(guardPolicyText(preset, { preset: "default", limits: { pids: 9 } }, "demo")).toBe(
      guardPolicyText(preset, { preset: "default", limits: { pids: 9 } }, "demo"),
    );
  });
});
