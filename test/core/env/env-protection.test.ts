import { describe, expect, test } from "vitest";
import { accessFindings, buildFindings, gitFindings } from "../../../src/core/env/env-protection.ts";
import { isIgnored } from "../../../src/core/stack/docker-ignore.ts";

describe("the mode and owner of the environment file", () => {
  test.each([
    ["that only its owner can read", 0o600, 1000, 1000, 1000, []],
    ["that a group can read", 0o640, 1000, 1000, 1000, ["warning"]],
    ["that everybody can read", 0o644, 1000, 1000, 1000, ["warning"]],
    ["that a group can change", 0o660, 1000, 1000, 1000, ["warning"]],
    ["that everybody can change", 0o666, 1000, 1000, 1000, ["error"]],
    ["that belongs to root", 0o600, 0, 1000, 1000, []],
    ["that belongs to somebody else", 0o600, 1001, 1000, 1000, ["warning"]],
    ["that belongs to the folder's owner, who calls sudo", 0o600, 1000, 0, 1000, []],
    ["that belongs to a third, seen by root", 0o600, 1001, 0, 1000, ["warning"]],
  ])("%s", (_name, mode, uid, ownUid, folderUid, expected) => {
    const findings = accessFindings(".env", { mode, uid, ownUid, folderUid });
    expect(findings.map(({ severity }) => severity)).toEqual(expected);
  });
});

test("an environment file that git tracks or knows from before is a warning", () => {
  expect(gitFindings(".env", { tracked: false, commit: undefined })).toEqual([]);
  expect(gitFindings(".env", { tracked: true, commit: "abc1234" })[0]?.message).toContain("git tracks .env");
  expect(gitFindings(".env", { tracked: false, commit: "abc1234" })[0]?.message).toContain("history (abc1234)");
});

describe("a build", () => {
  const context = (ignore: string | undefined, path = "/srv") => [{ service: "web", path, ignore }];
  test.each([
    ["whose context has the file in it", context(undefined), 1],
    ["whose .dockerignore names it", context(".env\n.deploy\n"), 0],
    ["whose .dockerignore names only one of both", context(".env"), 1],
    ["whose context is elsewhere", context(undefined, "/opt"), 0],
    ["whose context is the root", context(undefined, "/"), 1],
    ["that is the same for two services", [...context(""), { service: "b", path: "/srv", ignore: "" }], 1],
  ])("%s", (_name, contexts, count) => {
    expect(buildFindings(".env", ["/srv/.env", "/srv/.deploy/secrets"], contexts)).toHaveLength(count);
  });
});

test.each([
  ["*\n!src", ".env", true],
  ["*\n!.env", ".env", false],
  ["# .env", ".env", false],
  ["/.env", ".env", true],
  ["./.env", ".env", true],
  [".env*", ".env.local", true],
  ["**/.env", "a/b/.env", true],
  ["**/.env", ".env", true],
  [".env", "a/.env", false],
  ["a", "a/.env", true],
  ["a/**", "a/b/.env", true],
  ["*.env", "a/x.env", false],
  ["?env", ".env", true],
  ["[.]env", ".env", true],
  [".en[a-z]\r\n", ".env", true],
  ["[", ".env", false],
  ["\\.env", ".env", true],
])("the .dockerignore %j of the path %s: %s", (text, path, expected) => {
  expect(isIgnored(text, path)).toBe(expected);
});
