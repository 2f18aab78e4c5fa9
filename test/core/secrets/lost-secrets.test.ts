import { expect, it } from "vitest";
import { lostSecretFindings } from "../../../src/core/secrets/lost-secrets.ts";

const last = { names: ["KEY", "TOKEN"], deployment: "20260301-100000-abcd" };

it("a secret that had a value and has none any more is told, with where it can be found", () => {
  expect(lostSecretFindings(["TOKEN", "NEW"], last, ".env")).toEqual([
    {
      code: "D118",
      severity: "warning",
      message: ".env has lost the value of TOKEN, which the last deployment had: up would generate another",
      fix: "put it back unless that is meant: a copy of the file as it was is in .deploy/history/20260301-100000-abcd/files",
    },
  ]);
  const [both] = lostSecretFindings(["KEY", "TOKEN"], { ...last, deployment: undefined }, "conf/env");
  expect(both).toMatchObject({
    message: expect.stringContaining("conf/env has lost the values of KEY, TOKEN"),
    fix: expect.stringMatching(/^put them back .* is in \.deploy\/history$/),
  });
});

it("of a secret that never had a value nothing is said", () => {
  expect(lostSecretFindings(["NEW"], last, ".env")).toEqual([]);
  expect(lostSecretFindings([], last, ".env")).toEqual([]);
});
