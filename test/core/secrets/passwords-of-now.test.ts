import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  newerPasswordFindings,
  newerPasswords,
  passwordFiles,
  withPasswords,
} from "../../../src/core/secrets/passwords-of-now.ts";
import { modelOf } from "../../support/granted.ts";

const old = "k9UFcVG1xoP1Aunit2RuNo4v2rHy0XVQu";
const fresh = "kQ8vTz3mWn5xYb7cRd2fPq6sLh4jKg9e";

const written = (password: string, more: Record<string, unknown> = {}) => ({
  name: "demo",
  services: {
    db: {
      image: "postgres:16",
      environment: { POSTGRES_PASSWORD: password },
      volumes: [{ type: "volume", source: "data", target: "/var/lib/postgresql/data" }],
      ...more,
    },
    app: { image: "app:1", environment: { DATABASE_URL: `postgres://app:${password}@db/app`, LEVEL: "one" } },
  },
  volumes: { data: { name: "demo_data" } },
});

describe("a password that data has by now", () => {
  test("takes the place of the recorded one wherever that stands, and nothing else changes", () => {
    const newer = newerPasswords(modelOf(written(old)), modelOf(written(fresh)));
    expect(newer).toEqual([{ service: "db", program: "PostgreSQL", from: old, to: fresh }]);
    expect(JSON.parse(withPasswords(JSON.stringify(written(old)), newer))).toEqual(written(fresh));
    expect(newerPasswordFindings(newer)).toMatchObject([
      { code: "D099", message: expect.stringContaining("PostgreSQL in db") },
    ]);
    expect(JSON.stringify(newerPasswordFindings(newer))).not.toMatch(`${old}|${fresh}`);
  });

  test("may have the recorded one in it", () => {
    const newer = newerPasswords(modelOf(written(old)), modelOf(written(`${old}2`)));
    expect(JSON.parse(withPasswords(JSON.stringify(written(old)), newer))).toEqual(written(`${old}2`));
  });

  test("is none where it is the same, where nobody knows it, or where the old one is too short to tell from other words", () => {
    const none = (from: string, to: string) => newerPasswords(modelOf(written(from)), modelOf(written(to)));
    expect(none(old, old)).toEqual([]);
    expect(none(old, "")).toEqual([]);
    expect(none("postgres", fresh)).toEqual([]);
    expect(newerPasswords(modelOf(written(old)), modelOf({ services: {} }))).toEqual([]);
  });

  test("is written as Compose spells it and as addresses do, whatever its characters are", () => {
    const password = fc.string({ unit: fc.constantFrom(..."aZ09$%&/:@\"'\\ü€ "), minLength: 16, maxLength: 40 });
    fc.assert(
      fc.property(password, password, (from, to) => {
        const [spelled, url] = [from, encodeURIComponent(from)].map((text) => text.replaceAll("$", () => "$$"));
        const text = JSON.stringify({ a: spelled, b: `postgres://app:${url}@db` });
        const found = JSON.parse(withPasswords(text, [{ service: "db", program: "PostgreSQL", from, to }]));
        expect(found.a).toBe(to.replaceAll("$", () => "$$"));
        expect(found.b).toBe(`postgres://app:${encodeURIComponent(to)}@db`);
      }),
    );
  });

  test("may be in a file of the operator's, which stays as it is", () => {
    const service = { environment: { POSTGRES_PASSWORD_FILE: "/run/secrets/word" }, secrets: [{ source: "word" }] };
    const model = modelOf({ ...written(old, service), secrets: { word: { file: "/srv/demo/word.txt" } } });
    expect(passwordFiles(model)).toEqual(["/srv/demo/word.txt"]);
    expect(passwordFiles(modelOf(written(old)))).toEqual([]);
  });
});
