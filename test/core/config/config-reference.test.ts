import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { parseConfig } from "../../../src/core/config/config.ts";
import { configJsonSchema, configReference } from "../../../src/core/config/config-reference.ts";
import { configOf } from "../plan/plan-facts.ts";

const root = join(import.meta.dirname, "../../..");
const reference = readFileSync(join(root, "deploy.config.yaml"), "utf8");

describe("deploy.config.yaml of this checkout", () => {
  test("is the reference of the schema: npm run schema writes it anew", () => {
    expect(reference).toBe(configReference());
  });

  test("parses to the defaults, so that leaving a key out changes nothing", () => {
    const parsed = parseConfig({ file: "deploy.config.yaml", text: reference });
    expect(parsed).toMatchObject({ ok: true, findings: [] });
    expect(parsed.ok && parsed.value.config).toEqual(configOf());
  });

  test("stays within 120 columns", () => {
    expect(reference.split("\n").filter((line) => line.length > 120)).toEqual([]);
  });
});

describe("deploy.schema.json", () => {
  const file: unknown = JSON.parse(readFileSync(join(root, "deploy.schema.json"), "utf8"));

  test("is the schema as JSON: npm run schema writes it anew", () => {
    expect(file).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
  });

  test("accepts the reference, as an editor reads both", () => {
    const result = z.fromJSONSchema(z.record(z.string(), z.unknown()).parse(file)).safeParse(parse(reference));
    expect(result.error?.issues ?? []).toEqual([]);
  });

  test.each([
    ["an unknown key", { version: 1, modes: "local" }],
    ["an unknown mode", { version: 1, sandbox: { mode: "docker" } }],
    ["another version", { version: 2 }],
    ["no version", {}],
    ["an acceptance without a reason", { version: 1, accept: [{ privilege: "host-root" }] }],
  ])("refuses %s", (_, value) => {
    const schema = z.fromJSONSchema(z.record(z.string(), z.unknown()).parse(file));
    expect(schema.safeParse(value).success).toBe(false);
  });
});

test("every field of the configuration has a description", () => {
  expect(undescribed(configJsonSchema(), "")).toEqual([]);
});

/** The dotted names of all properties without a description, at every depth. */
function undescribed(schema: unknown, name: string): string[] {
  if (Array.isArray(schema)) return schema.flatMap((each) => undescribed(each, name));
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]) => {
    if (key !== "properties") return ["items", "anyOf", "oneOf"].includes(key) ? undescribed(value, name) : [];
    return Object.entries(z.record(z.string(), z.unknown()).parse(value)).flatMap(([property, child]) => {
      const full = `${name}${property}`;
      const described = z.object({ description: z.string().min(10) }).safeParse(child).success;
      return [...(described ? [] : [full]), ...undescribed(child, `${full}.`)];
    });
  });
}
