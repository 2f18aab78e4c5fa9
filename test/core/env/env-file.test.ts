import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { appendToEnvFile, EnvEditError, setInEnvFile } from "../../../src/core/env/env-edit.ts";
import { envValues, parseEnvFile } from "../../../src/core/env/env-file.ts";
import { formatFinding } from "../../../src/core/findings/finding.ts";

function parse(text: string, lookup: Record<string, string> = {}) {
  const outcome = parseEnvFile({ file: ".env", text }, new Map(Object.entries(lookup)));
  if (!outcome.ok) throw new Error(outcome.findings.map(formatFinding).join("\n"));
  return outcome.value;
}

function values(text: string, lookup: Record<string, string> = {}) {
  return Object.fromEntries(envValues(parse(text, lookup)));
}

function findingOf(text: string) {
  const outcome = parseEnvFile({ file: "deploy/.env", text }, new Map());
  return outcome.ok ? undefined : outcome.findings[0];
}

describe("reading", () => {
  test.each([
    ["a plain value", "A=b", { A: "b" }],
    ["export, spaces and a colon", "export A=1\nB =2\nC: 3\n", { A: "1", B: "2", C: "3" }],
    ["a comment only after a space", "A=b #c\nB=b#c\nC= #c\n", { A: "b", B: "b#c", C: "#c" }],
    ["the last of duplicates", "A=1\nA=2\n", { A: "2" }],
    ["variables of earlier lines", "A=1\nB=$A${A}x\nC=${N:-d}${A:+y}${A-n}\n", { A: "1", B: "11x", C: "dy1" }],
    ["a dollar that begins nothing", "A=a$1 $ b$\nB=$$A\n", { A: "a$1 $ b$", B: "$A" }],
    ["a silently swallowed rest", "S=ab$cd\n", { S: "ab" }],
    ["single quotes as they are", "A='$B ${C} \\n # x'\n", { A: "$B ${C} \\n # x" }],
    ["an escaped single quote", "A='it\\'s'\n", { A: "it's" }],
    ["escapes in double quotes", 'A="a\\nb\\t\\"c\\" \\$d \\0101 \\x"\n', { A: 'a\nb\t"c" $d A \\x' }],
    ["values over several lines", "A='x\ny'\nB=\"x\ny\"\n", { A: "x\ny", B: "x\ny" }],
    ["a byte order mark and CRLF", "\uFEFFA=1\r\nB='2' # c\r\nC=\r\n", { A: "1", B: "2", C: "" }],
    ["a statement behind a quoted value", "A='1' B=2\n", { A: "1", B: "2" }],
  ])("%s is read as Compose reads it", (_, text, expected) => {
    expect(values(text)).toEqual(expected);
  });

  test("the process environment, even an empty variable, beats the file, whose own value stays known", () => {
    const file = parse("A=file\nB=$A\nC=file\n", { A: "process", C: "" });
    expect(file.entries.map(({ key, value, fileValue }) => [key, value, fileValue])).toEqual([
      ["A", "process", "file"],
      ["B", "process", "process"],
      ["C", "", "file"],
    ]);
  });

  test("a bare key inherits its value, and is no entry where there is none to inherit", () => {
    expect(values("A\nB\nA2=x\nA2\n", { A: "outer" })).toEqual({ A: "outer", A2: "x" });
  });

  test("an entry tells its line, its quotes, whether a variable was filled in and which were not set", () => {
    const { entries } = parse("# head\nA='1\n2'\nB=x$A\nC=\"$NOPE\"\nD=$$\n");
    expect(entries.map(({ key, line, quote, interpolated, unset }) => [key, line, quote, interpolated, unset])).toEqual(
      [
        ["A", 2, "single", false, []],
        ["B", 4, "none", true, []],
        ["C", 5, "double", true, ["NOPE"]],
        ["D", 6, "none", false, []],
      ],
    );
  });
});

describe("text that Compose refuses", () => {
  test.each([
    ["an unterminated double quote", 'A=1\nSECRET="hunter2\nB=2\n', 2, 8],
    ["an unterminated single quote behind a byte order mark", "\uFEFFS= 'hunter2", 1, 4],
    ["a character that no name has", "A=1\r\nhunter2/x=1\r\n", 2, 8],
    ["a space in a name", "A=1\n\n  hunter2 B=1\n", 3, 3],
    ["export without a variable", "A=1\nexport ", 2, 1],
    ["a brace that begins no variable", "A=hunter2${}\n", 1, 3],
    ["a required variable that is not set", "A=1\nB='x'\nexport C=${hunter2:?hunter2}\n", 3, 10],
  ])("%s is D030 at its place, without a byte of the line", (_, text, line, column) => {
    const finding = findingOf(text);
    expect(finding).toMatchObject({ code: "D030", severity: "error" });
    expect(finding?.at).toEqual({ file: "deploy/.env", line, column });
    expect(finding?.fix).toMatch(/\w/);
    expect(JSON.stringify(finding)).not.toContain("hunter2");
  });

  test("a name that is wrong because an earlier quote closed late points at that quote as well", () => {
    const finding = findingOf("A='one\nB=two\nC='three four'\n");
    expect(finding?.at?.line).toBe(3);
    expect(finding?.fix).toContain("line 1");
  });

  test("reading never throws and a refusal never quotes the text", () => {
    const wild = fc.string({ unit: fc.constantFrom(..."AB=: \"'\\$#{}?-+:\n\r\t1é\uFEFF"), maxLength: 40 });
    fc.assert(
      fc.property(wild, (noise) => {
        const outcome = parseEnvFile({ file: ".env", text: `${noise}\nSENTINEL${noise}` }, new Map());
        expect(JSON.stringify(outcome.findings)).not.toContain("SENTINEL");
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});

describe("adding", () => {
  test.each([
    ["an empty file", "", "A=v1\n"],
    ["a missing last newline", "# c\nB=1", "# c\nB=1\nA=v1\n"],
    ["CRLF", "# c\r\nB=1\r\n", "# c\r\nB=1\r\nA=v1\r\n"],
    ["CRLF without the last one", "B=1\r\nC=2", "B=1\r\nC=2\r\nA=v1\r\n"],
    ["an empty value of a template", "A=\nB=$A\n", "A=v1\nB=$A\n"],
    ["an empty value with spaces and CRLF", "export A = \t\r\nB=1\r\n", "export A =v1 \t\r\nB=1\r\n"],
    ["an empty value at the end of the file", "B=1\nA=", "B=1\nA=v1"],
    ["empty quotes with a comment right behind", 'A=""#c\nB=1\n', "A='v1'#c\nB=1\n"],
    ["the last of two empty lines", "A=\nA=\n", "A=\nA=v1\n"],
    ["a value that is there", "A=mine\n", "A=mine\n"],
    ["a value that is there as a variable", "A=${OTHER}\n", "A=${OTHER}\n"],
    ["a value that is there twice", "A=\nA=mine\n", "A=\nA=mine\n"],
    ["a bare key", "A\n", "A\nA=v1\n"],
    ["a commented key", "# A=\n", "# A=\nA=v1\n"],
  ])("to %s keeps every byte", (_, text, expected) => {
    expect(appendToEnvFile(text, [{ key: "A", value: "v1" }])).toBe(expected);
  });

  test("a comment goes above its variable, line by line, and only where the variable is new", () => {
    const addition = { key: "A", value: "1", comment: "made by deploy\nkeep it" };
    expect(appendToEnvFile("B=1\r\n", [addition])).toBe("B=1\r\n# made by deploy\r\n# keep it\r\nA=1\r\n");
    expect(appendToEnvFile("A=\n", [addition])).toBe("A=1\n");
  });

  test.each([
    ["a-b_C9", "A=a-b_C9\n"],
    ["a b", "A='a b'\n"],
    ["it's $5", "A='it\\'s $5'\n"],
    ["back\\slash", "A='back\\slash'\n"],
    ["ends in \\", 'A="ends in \\\\"\n'],
    ["\\'$x\"", 'A="\\\\\'\\$x\\""\n'],
  ])("%s is written so that it is read back", (value, expected) => {
    expect(appendToEnvFile("", [{ key: "A", value }])).toBe(expected);
    expect(values(expected)).toEqual({ A: value });
  });

  test.each([
    ["a NUL", "", { key: "A", value: "SENTINEL\0" }],
    ["half a surrogate pair", "", { key: "A", value: "SENTINEL\ud800" }],
    ["a name with a dash", "", { key: "A-SENTINEL", value: "x" }],
    ["a file that Compose refuses", "B='open\n", { key: "A", value: "SENTINEL" }],
  ])("%s is refused without showing the value", (_, text, addition) => {
    const add = () => appendToEnvFile(text, [addition]);
    expect(add).toThrow(EnvEditError);
    expect(add).not.toThrow(/SENTINEL/);
  });
});

const key = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,6}$/);
const value = fc
  .string({ unit: "binary", maxLength: 30 })
  .filter((text) => !text.includes("\0") && !/\p{Surrogate}/u.test(text));
const nasty = fc.string({ unit: fc.constantFrom(..."'\"\\$#{} \n\r\tab"), maxLength: 12 });
const line = fc.oneof(
  fc
    .tuple(key, fc.constantFrom("=", ": ", " = "), fc.constantFrom("", "x", "'y z'", '"a\nb"', "  "))
    .map((parts) => parts.join("")),
  fc.constantFrom("# comment", "", "  ", "export BARE", "A='1' # c"),
);
const envText = fc
  .tuple(fc.array(line, { maxLength: 8 }), fc.constantFrom("\n", "\r\n"), fc.boolean(), fc.boolean())
  .map(([lines, eol, bom, last]) => `${bom ? "\uFEFF" : ""}${lines.join(eol)}${last ? eol : ""}`);

describe("setting", () => {
  test.each([
    ["an empty file", "", "A=v1\n"],
    ["a value", "# c\nA=old # note\nB=1\n", "# c\nA=v1 # note\nB=1\n"],
    ["a value in CRLF", "A=old\r\nB=1\r\n", "A=v1\r\nB=1\r\n"],
    ["a quoted value with a statement behind it", "A='old'B=1\n", "A='v1'B=1\n"],
    ["a value over two lines", 'A="o\nld"\nB=1\n', "A='v1'\nB=1\n"],
    ["an exported one with spaces", "export A = old  \nB=1\n", "export A = v1  \nB=1\n"],
    ["the last of two", "A=1\nB=$A\nA=2\n", "A=1\nB=$A\nA=v1\n"],
    ["what others are made of", "A=old\nB=x$A\n", "A=v1\nB=x$A\n"],
    ["an empty value", "A=\nB=1\n", "A=v1\nB=1\n"],
    ["without a last newline", "B=1\nA=old", "B=1\nA=v1"],
    ["behind a byte order mark", "\uFEFFA=old\n", "\uFEFFA=v1\n"],
  ])("%s changes that value and no other byte", (_, text, expected) => {
    expect(setInEnvFile(text, "A", "v1")).toBe(expected);
  });

  test("a value in a file that Compose refuses is refused, and shows nothing", () => {
    const set = () => setInEnvFile("B='open\n", "A", "SENTINEL");
    expect(set).toThrow(EnvEditError);
    expect(set).not.toThrow(/SENTINEL/);
  });

  test("is read back exactly, whatever the value and the file, and every other variable as before", () => {
    fc.assert(
      fc.property(
        envText,
        key,
        fc.oneof(value, nasty).filter((text) => text !== ""),
        (text, name, wanted) => {
          const before = values(text);
          const edited = setInEnvFile(text, name, wanted);
          expect(values(edited)).toEqual({ ...before, [name]: wanted });
          const old = before[name];
          if (old !== undefined && old !== "")
            expect(setInEnvFile(edited, name, old).length).toBeLessThan(text.length + 4);
        },
      ),
      { seed: 13, numRuns: 600 },
    );
  });
});

describe("whatever is added", () => {
  test("is read back exactly", () => {
    fc.assert(
      fc.property(
        envText,
        fc.uniqueArray(fc.tuple(key, fc.oneof(value, nasty)), { selector: ([name]) => name, maxLength: 4 }),
        (text, pairs) => {
          const before = values(text);
          const after = values(
            appendToEnvFile(
              text,
              pairs.map(([name, added]) => ({ key: name, value: added })),
            ),
          );
          for (const [name, added] of pairs) expect(after[name]).toBe(before[name] || added);
        },
      ),
      { seed: 11, numRuns: 600 },
    );
  });

  test("changes nothing else: the text without it is the text before, and adding twice is adding once", () => {
    fc.assert(
      fc.property(envText, key, (text, name) => {
        const once = appendToEnvFile(text, [{ key: name, value: "ADDED" }]);
        const without = once.replace(/(?:^|(?<=\n))[A-Z_0-9]+=ADDED\r?\n$/, "").replace(/'ADDED'|ADDED/, "");
        expect([text, `${text}\n`, `${text}\r\n`]).toContain(without);
        expect(appendToEnvFile(once, [{ key: name, value: "OTHER" }])).toBe(once);
      }),
      { seed: 12, numRuns: 600 },
    );
  });
});
