import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { Finding } from "../../../src/core/findings/finding.ts";
import { formatFindings } from "../../../src/core/stack/docker-failures.ts";
import { fitText, fitted } from "../../../src/core/text/fitted-text.ts";
import { helpItem } from "../../../src/core/text/help-item.ts";

const asIs = (text: string) => text;
const words = (text: string) => text.split(/\s+/).filter((word) => word !== "");

describe("text for a terminal", () => {
  const cell = fc
    .array(fc.string({ unit: fc.constantFrom("a", "/", ":"), minLength: 1, maxLength: 30 }), {
      minLength: 1,
      maxLength: 8,
    })
    .map((parts) => parts.join(" "));
  const line = fc
    .tuple(fc.nat(30), fc.array(fc.tuple(cell, fc.integer({ min: 2, max: 12 })), { maxLength: 5 }))
    .map(([indent, cells]) => " ".repeat(indent) + cells.map(([text, gap]) => text + " ".repeat(gap)).join(""));

  it("has no line that is wider than the terminal, but for a word that is", () => {
    fc.assert(
      fc.property(line, fc.integer({ min: 20, max: 120 }), (text, columns) => {
        for (const each of fitText(text, columns).split("\n"))
          if (each.length > columns && each !== text.trimEnd()) expect(words(each)).toHaveLength(1);
      }),
    );
  });

  it("has every word in its order, and each of them whole", () => {
    fc.assert(
      fc.property(line, fc.integer({ min: 20, max: 120 }), (text, columns) => {
        expect(words(fitText(text, columns))).toEqual(words(text));
      }),
    );
  });

  test.each([
    [
      "mode      local (config.yaml:2 sandbox.use)",
      ["mode      local", "          (config.yaml:2", "          sandbox.use)"],
    ],
    ["  fix: run it again, as root", ["  fix: run it again, as", "       root"]],
    ["one-long-name-x  second-cell  third", ["one-long-name-x", "    second-cell  third"]],
    ["    /a/path/that/is/wider/than/all", ["    /a/path/that/is/wider/than/all"]],
    ["ok  a  what was found there", ["ok  a  what was found", "       there"]],
    ["here", ["here"]],
    ["名前  前の名前 は長い名前 である", ["名前  前の名前 は長い名前", "      である"]],
    [
      "e\u0301e\u0301e\u0301e\u0301e\u0301 e\u0301e\u0301e\u0301e\u0301e\u0301 twelve and",
      ["e\u0301e\u0301e\u0301e\u0301e\u0301 e\u0301e\u0301e\u0301e\u0301e\u0301 twelve and"],
    ],
  ])("breaks %j between its columns, and then below what the line is about", (text, lines) => {
    expect(fitText(text, 25).split("\n")).toEqual(lines);
  });

  it("is whole without a terminal, and where other programs read it", () => {
    expect(fitted("so many words", undefined, asIs)).toBe("so many words");
    expect(fitted({ whole: "so many words" }, 5, asIs)).toBe("so many words");
    expect(fitted((columns) => `${columns}`, undefined, asIs)).toBe("80");
  });

  it("is redacted before it is broken", () => {
    const redact = (text: string) => text.replace("pass word", "***");
    expect(fitted("the pass word", 8, redact)).toBe("the ***");
  });
});

describe("a finding in a narrow terminal", () => {
  const finding: Finding = {
    code: "D012",
    severity: "error",
    message: "no",
    at: { file: "a.yaml", line: 12, column: 61, text: `${"x".repeat(60)}^here${"y".repeat(60)}` },
  };

  it("shows of a long line the part around the marker, which stands below its place", () => {
    const [, line = "", marker = ""] = formatFindings([finding], 40).split("\n");
    expect(line.length).toBeLessThanOrEqual(40);
    expect(line[marker.indexOf("^")]).toBe("^");
    expect(line).toMatch(/^ {2}12 \| ….*\^here.*…$/);
  });

  it("shows the line whole where there is room for it", () => {
    expect(formatFindings([finding])).toContain(`  12 | ${finding.at?.text}\n`);
  });
});

test("a term of a help text stands above what it means where there is no room beside it", () => {
  expect(helpItem("--json", 10, "print one JSON document on stdout", 80)).toBe(
    "  --json      print one JSON document on stdout",
  );
  expect(helpItem("--json", 10, "print one JSON document on stdout", 30)).toBe(
    "  --json\n      print one JSON document\n      on stdout",
  );
});
