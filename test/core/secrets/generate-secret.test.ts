import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeSecret, isWeakSecret } from "../../../src/core/secrets/generate-secret.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe("an encoded secret", () => {
  test("begins with a letter, needs no quoting, has one length and gives its bytes back", () => {
    fc.assert(
      fc.property(fc.constantFrom(24, 32).chain(bytes), (random) => {
        const secret = encodeSecret(random);
        expect(secret).toMatch(/^[A-Za-z0-9][A-Za-z0-9_-]+$/);
        expect(secret).toHaveLength(random.length === 24 ? 33 : 44);
        expect(Uint8Array.from(Buffer.from(secret.slice(1), "base64url"))).toEqual(random);
      }),
      { seed: 51 },
    );
  });

  test("begins with a letter also where base64url would begin with a dash or an underscore", () => {
    expect([encodeSecret(Uint8Array.of(0xf8)), encodeSecret(Uint8Array.of(0xfc))]).toEqual(["k-A", "k_A"]);
  });

  test("of random bytes is never called weak, nor is hex", () => {
    for (let index = 0; index < 3000; index += 1) {
      const random = createHash("sha256").update(String(index)).digest();
      const made = [
        encodeSecret(random),
        encodeSecret(random.subarray(0, 24)),
        random.toString("hex"),
        random.toString("hex", 0, 8),
      ];
      expect(made.map((secret) => isWeakSecret(secret))).toEqual(made.map(() => undefined));
    }
  });
});

describe("a weak secret", () => {
  test.each([
    ["", "empty"],
    ["  \n", "empty"],
    ["changeme", "known default"],
    ["ChangeMe", "known default"],
    ["postgres", "known default"],
    ["minioadmin", "known default"],
    ["dev-secret-change-in-production", "known default"],
    ["please-change-me-before-use-123", "known default"],
    ["my-super-insecure-signing-key-1", "known default"],
    ["your-api-key", "placeholder"],
    ["your_openai_api_key_here", "placeholder"],
    ["<generate with openssl>", "placeholder"],
    ["${POSTGRES_PASSWORD}", "placeholder"],
    ["sk-xxxxxxxxxxxxxxxxxxxx", "placeholder"],
    ["sk-...", "placeholder"],
    ["Xk29dL0q", "too short"],
    ["Xk29dL0qPw81zRt", "too short"],
    ["aaaaaaaaaaaaaaaaaaaaaaaa", "too regular"],
    ["abcabcabcabcabcabcabcabc", "too regular"],
    ["0123456789abcdef", "too regular"],
    ["abcdefghijklmnopqrstuvwxyz", "too regular"],
    ["Passw0rd!Passw0rd!", "too regular"],
    ["000000000000000000a1", "too regular"],
  ] as const)("%j is %s", (value, reason) => expect(isWeakSecret(value)).toBe(reason));

  test("is one that equals its example", () => {
    const value = "9f86d081884c7d659a2feaa0c55ad015";
    expect(isWeakSecret(value, { example: `${value}\n` })).toBe("same as the example");
    expect(isWeakSecret(value, { example: "something else" })).toBeUndefined();
  });

  test("is every repetition of something, and everything short", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 12 }).map((unit) => unit.trim()),
        fc.integer({ min: 2, max: 40 }),
        (unit, times) => {
          expect(isWeakSecret(unit.repeat(times))).toBeDefined();
        },
      ),
      { seed: 52 },
    );
  });
});
