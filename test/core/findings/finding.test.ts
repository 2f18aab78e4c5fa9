import { describe, expect, test } from "vitest";
import { type Finding, failure, formatFinding, success } from "../../../src/core/findings/finding.ts";
import { findingCodes } from "../../../src/core/findings/finding-codes.ts";
import { formatFindings } from "../../../src/core/stack/docker-failures.ts";

const bare: Finding = { code: "D012", severity: "error", message: "it is wrong" };

describe("a finding is shown", () => {
  test.each<[what: string, finding: Finding, expected: string[]]>([
    ["without a place", bare, ["error D012 it is wrong"]],
    ["with what to do", { ...bare, fix: "mend it" }, ["error D012 it is wrong", "  fix: mend it"]],
    ["with a file", { ...bare, at: { file: "a.yaml" } }, ["a.yaml error D012 it is wrong"]],
    [
      "with a line",
      { ...bare, severity: "warning", at: { file: "a.yaml", line: 4 } },
      ["a.yaml:4 warning D012 it is wrong"],
    ],
    [
      "with its line's text and a marker below the column",
      { ...bare, fix: "mend it", at: { file: "a.yaml", line: 14, column: 9, text: "  mode: loca" } },
      ["a.yaml:14:9 error D012 it is wrong", "  14 |   mode: loca", "     |         ^", "  fix: mend it"],
    ],
    [
      "with its line's text and no marker where the column is not known",
      { ...bare, at: { file: "a.yaml", line: 3, text: "mode" } },
      ["a.yaml:3 error D012 it is wrong", "  3 | mode"],
    ],
    [
      "with a place and no text where the line may hold a secret",
      { ...bare, at: { file: ".env", line: 3, column: 1 } },
      [".env:3:1 error D012 it is wrong"],
    ],
  ])("%s", (_, finding, expected) => {
    expect(formatFinding(finding).split("\n")).toEqual(expected);
  });

  test("with the part of its line around the marker, also where no terminal is narrow", () => {
    const at = { file: "a.yaml", line: 2, column: 1000, text: `${"a".repeat(2000)}\n`.trim() };
    const lines = formatFindings([{ ...bare, at }]).split("\n");
    expect(lines.map((line) => line.length <= 400)).toEqual(lines.map(() => true));
    expect(lines[1]).toMatch(/…a+…$/);
  });

  test("after those that are worse, in their own order", () => {
    const findings: Finding[] = [
      { ...bare, severity: "info", message: "1" },
      { ...bare, severity: "warning", message: "2" },
      { ...bare, message: "3" },
      { ...bare, severity: "warning", message: "4" },
      { ...bare, message: "5" },
    ];
    expect(
      formatFindings(findings)
        .split("\n")
        .map((line) => line.at(-1)),
    ).toEqual(["3", "5", "2", "4", "1"]);
  });
});

test("an outcome has a value or says why not", () => {
  expect(success(1)).toEqual({ ok: true, value: 1, findings: [] });
  expect(success(1, [bare])).toEqual({ ok: true, value: 1, findings: [bare] });
  expect(failure(bare)).toEqual({ ok: false, findings: [bare] });
});

test("every code has a sentence of its own", () => {
  const titles = Object.values(findingCodes).map(({ title }) => title);
  expect(new Set(titles).size).toBe(titles.length);
  expect(titles.filter((title) => !/^[A-Z].*\.$/.test(title))).toEqual([]);
});
