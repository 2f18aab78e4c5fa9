import { describe, expect, test } from "vitest";
import {
  dotenvSecrets,
  inspectedSecrets,
  secretValues,
  writtenSecrets,
} from "../../../src/core/secrets/secret-values.ts";

describe("secret values", () => {
  test("are those under names that say so, and passwords in URLs under any name", () => {
    const variables = [
      ["API_KEY", "k-123456"],
      ["PORT", "2026"],
      ["CACHE", "redis://user:pa55word@store:6379/0"],
    ] as const;
    expect(secretValues(variables)).toEqual(["k-123456", "pa55word"]);
  });

  test("are no words that switch something", () => {
    expect(
      secretValues([
        ["USE_TOKEN", "true"],
        ["SECRET", "off"],
        ["TOKEN", ""],
      ]),
    ).toEqual([]);
  });

  test.each([
    ["TOKEN=abc-12345#def\n", "abc-12345"],
    ["TOKEN=a$b-and-more\n", "a$b-and-more"],
    ["TOKEN='quoted value'\n", "quoted value"],
  ])("are also what a program with the dotenv grammar reads in %j", (text, value) => {
    expect(dotenvSecrets(text)).toEqual([value]);
  });

  test("are found line by line in a file that cannot be parsed", () => {
    expect(writtenSecrets('PASSWORD="never closed\nexport TOKEN=tt-12345\n')).toEqual(
      expect.arrayContaining(["never closed", "tt-12345"]),
    );
  });

  test("are found in the environment of an inspected container, whatever else the document holds", () => {
    expect(
      inspectedSecrets([{ Config: { Env: ["DB_PASSWORD=dd-12345", "PATH=/bin"] } }, null, { Config: {} }]),
    ).toEqual(["dd-12345"]);
  });
});
