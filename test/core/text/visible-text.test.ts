import fc from "fast-check";
import { expect, test } from "vitest";
import { visibleLine, visibleLog, visibleText } from "../../../src/core/text/visible-text.ts";

test.each([
  ["\u001b[2J\u001b[H", "\\x1b[2J\\x1b[H"],
  ["\u001b]0;owned\u0007", "\\x1b]0;owned\\x07"],
  ["a\rb", "a\\x0db"],
  ["\u009b2J", "\\x9b2J"],
  ["abc\u202Etxt", "abc\\u202etxt"],
  ["two\nlines\tand a tab", "two\nlines\tand a tab"],
  ["Grüße – ✓", "Grüße – ✓"],
])("%j is shown as %j", (text, shown) => {
  expect(visibleText(text)).toBe(shown);
});

test("a value on one line cannot look like a line of ours", () => {
  expect(visibleLine("x\n\nprivileges: none\n")).toBe("x\\x0a\\x0aprivileges: none\\x0a");
});

test("logs keep their colours and lose the rest", () => {
  expect(visibleLog("\u001b[32mweb-1  |\u001b[0m \u001b[2Jgone\r\n")).toBe(
    "\u001b[32mweb-1  |\u001b[0m \\x1b[2Jgone\n",
  );
});

test("whatever a text holds, nothing of it is obeyed by a terminal", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(visibleLine(text)).not.toMatch(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
});
