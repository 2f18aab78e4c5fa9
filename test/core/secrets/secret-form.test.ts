import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isWeakSecret } from "../../../src/core/secrets/generate-secret.ts";
import { bytesOf, fitsForm, secretForms, strengthBits, writeSecret } from "../../../src/core/secrets/secret-form.ts";
import { inputFinding, withoutLineEnd } from "../../../src/core/secrets/secret-input.ts";

describe("a secret that is made", () => {
  test.each(secretForms)("as %s fits its form, begins with a letter or digit and is not weak", (form) => {
    const count = bytesOf(form, 32);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: count, maxLength: count }).filter((bytes) => new Set(bytes).size > 12),
        (bytes) => {
          const made = writeSecret(form, bytes);
          expect(fitsForm(made, form)).toBe(true);
          expect(made).toMatch(/^[A-Za-z0-9][A-Za-z0-9_=-]*$/);
          expect(isWeakSecret(made)).toBeUndefined();
        },
      ),
    );
  });

  test("has the length that programs ask for", () => {
    const made = secretForms.map((form) => writeSecret(form, new Uint8Array(bytesOf(form, 24)).fill(0xff)).length);
    expect(made).toEqual([33, 48, 44, 36, 32]);
  });

  test("as a UUID says that it is random", () => {
    expect(writeSecret("uuid", new Uint8Array(16).fill(0xff))).toBe("ffffffff-ffff-4fff-bfff-ffffffffffff");
  });
});

describe("a value that somebody gives", () => {
  test.each([
    ["", "is empty"],
    [" \t", "is empty"],
    ["two\nlines", "more than one line"],
    ["***", "is a mask"],
    ["********", "is a mask"],
    ["‹redacted›", "is a mask"],
    ["[REDACTED]", "is a mask"],
    [" kQ8vTz3mWn5xYb7cRd2f", "begins or ends with a blank"],
    ["changeme", "everybody tries it first"],
    ["<your-key>", "a placeholder"],
    ["short", "shorter than 16"],
    ["a\0b", "no variable can have"],
  ])("%j is refused: it %s", (value, why) => {
    const finding = inputFinding("KEY", value, { acceptWeak: false });
    expect(finding?.message).toContain(why);
    if (value.length > 5) expect(JSON.stringify(finding)).not.toContain(value);
  });

  test.each([["kQ8vTz3mWn5xYb7cRd2f"], ['it\'s $5 & "more" #1'], ["pässwörter-sind-länger"]])(
    "%j is taken",
    (value) => {
      expect(inputFinding("KEY", value, { acceptWeak: false })).toBeUndefined();
    },
  );

  test("that is weak is taken once that is accepted, a mask never", () => {
    expect(inputFinding("KEY", "changeme", { acceptWeak: true })).toBeUndefined();
    expect(inputFinding("KEY", "****", { acceptWeak: true })).toBeDefined();
  });

  test("has to have the form that its program wants", () => {
    expect(inputFinding("KEY", "kQ8vTz3mWn5xYb7cRd2f", { form: "uuid", acceptWeak: true })?.message).toContain(
      "a UUID",
    );
  });

  test("loses the line end that a file or a shell puts behind it, and no more", () => {
    expect(["a\n", "a\r\n", "a", "a\n\n"].map(withoutLineEnd)).toEqual(["a", "a", "a", "a\n"]);
  });
});

test("strength tells what everybody knows from what is random", () => {
  expect(strengthBits("changeme")).toBe(0);
  expect(strengthBits("12345678901")).toBeLessThan(60);
  expect(strengthBits("0f".repeat(16))).toBeLessThan(128);
  expect(strengthBits("kQ8vTz3mWn5xYb7cRd2fPq6sLh4jKg9e")).toBeGreaterThan(180);
});
