import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, suggest } from "../../../src/core/findings/suggest.ts";

const keys = ["sandbox", "mode", "compose", "expose", "publicUrl", "secrets", "env_file", "wait", "tls"];

test.each([
  ["sanbdox", "sandbox"],
  ["sandbx", "sandbox"],
  ["MODE", "mode"],
  ["moed", "mode"],
  ["secret", "secrets"],
  ["public_url", "publicUrl"],
  ["env-file", "env_file"],
  ["exposes", "expose"],
  ["wiat", "wait"],
  ["tsl", "tls"],
])("%s probably means %s", (word, name) => expect(suggest(word, keys)).toBe(name));

test.each(["", "x", "replicas", "volumes", "ab", "on"])("%j is near nothing", (word) =>
  expect(suggest(word, keys)).toBeUndefined(),
);

test("nothing is suggested where there is nothing to choose from, and of equals the first is", () => {
  expect(suggest("mode", [])).toBeUndefined();
  expect(suggest("cat", ["bat", "hat"])).toBe("bat");
});

test("a swap of neighbours is one edit, and the distance is symmetric and bounded by the longer word", () => {
  expect(editDistance("ab", "ba")).toBe(1);
  expect(editDistance("kitten", "sitting")).toBe(3);
  const word = fc.string({ unit: fc.constantFrom(..."abc"), maxLength: 8 });
  fc.assert(
    fc.property(word, word, (left, right) => {
      const distance = editDistance(left, right);
      expect(distance).toBe(editDistance(right, left));
      expect(distance).toBeLessThanOrEqual(Math.max(left.length, right.length));
      expect(distance).toBeGreaterThanOrEqual(Math.abs(left.length - right.length));
      expect(distance === 0).toBe(left === right);
    }),
    { seed: 41 },
  );
});
