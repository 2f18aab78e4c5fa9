import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseEnvFile } from "../../../src/core/env/env-file.ts";
import { unsetFindings } from "../../../src/core/env/env-finding.ts";
import { formatFinding } from "../../../src/core/findings/finding.ts";
import { looksSecret } from "../../../src/core/secrets/redact.ts";

function findings(text: string, exported: Readonly<Record<string, string>> = {}) {
  const lookup = new Map(Object.entries(exported));
  const parsed = parseEnvFile({ file: ".env", text }, lookup);
  if (!parsed.ok) throw new Error("the text is refused");
  return unsetFindings(".env", parsed.value, lookup, looksSecret);
}

describe("a value that refers to a variable which is not set", () => {
  test("is a warning at its place that names the key", () => {
    expect(findings("PORT=1\n ADDRESS=abc$deadbeef\n")).toMatchObject([
      {
        code: "D034",
        severity: "warning",
        at: { file: ".env", line: 2, column: 2 },
        message: expect.stringContaining("ADDRESS"),
      },
    ]);
  });

  test("is an error where only a part of a secret is left, and none where the whole value is another variable", () => {
    const severities = findings("PASSWORD=abc$deadbeef\nTOKEN=${NONE}\nAPI_KEY=$NONE\n").map(
      ({ severity }) => severity,
    );
    expect(severities).toEqual(["error", "warning", "warning"]);
  });

  test.each([
    ["set above", "A=1\nB=$A\n"],
    ["exported", "B=$HOME_OF_IT\n"],
    ["given a default", `B=\${NONE:-1}\n`],
    ["in single quotes, and so no reference", "B='a$NONE'\n"],
    ["escaped", "B=a$$NONE\n"],
    ["replaced by a later line", "B=$NONE\nB=1\n"],
    ["hidden by an exported key", "C=$NONE\n"],
  ])("is none where it is %s", (_what, text) => {
    expect(findings(text, { HOME_OF_IT: "/x", C: "1" })).toEqual([]);
  });

  test("is named without a letter of the value, for what follows the dollar may be the rest of a password", () => {
    const letters = fc.stringMatching(/^[a-z]{6,12}$/);
    fc.assert(
      fc.property(letters, letters, (before, after) => {
        const shown = findings(`STORE_PASSWORD=${before}$${after}\n`).map(formatFinding).join("\n");
        expect(shown).toContain("D034");
        expect(shown).not.toContain(before);
        expect(shown).not.toContain(after);
      }),
      { examples: [["secret", "hunter"]] },
    );
  });
});
