import { describe, expect, test } from "vitest";
import type { Finding } from "../../src/core/findings/finding.ts";
import { DeployError, exitCodeOf, exitCodes } from "../../src/errors.ts";

const input: Finding = { code: "D012", severity: "error", message: "a wrong value" };
const refused: Finding = { code: "D047", severity: "error", message: "a busy port" };
const failed: Finding = { code: "D070", severity: "error", message: "a sick service" };

describe("the exit code", () => {
  test.each<[what: string, findings: Finding[], expected: number]>([
    ["of wrong input is 2", [input], 2],
    ["of a refusal is 3", [refused], 3],
    ["of a failed deployment is 1", [failed], 1],
    ["of wrong input outweighs a refusal", [refused, input], 2],
    ["of a failure outweighs everything", [input, refused, failed], 1],
    [
      "does not come from warnings and notes",
      [refused, { ...failed, severity: "warning" }, { ...input, severity: "info" }],
      3,
    ],
    ["of a stop without an error is a refusal", [], 3],
  ])("%s", (_, findings, expected) => {
    expect(exitCodeOf(findings)).toBe(expected);
    expect(new DeployError(findings).exitCode).toBe(expected);
  });

  test("that is given is taken", () => {
    expect(new DeployError([input], exitCodes.locked).exitCode).toBe(4);
  });
});

test("a known stop carries its findings, and its message names them all", () => {
  const error = new DeployError([input, refused]);
  expect(error.findings).toEqual([input, refused]);
  expect(error.message).toBe("D012 a wrong value; D047 a busy port");
});

test("no two outcomes share an exit code", () => {
  const codes = Object.values(exitCodes);
  expect(new Set(codes).size).toBe(codes.length);
});
