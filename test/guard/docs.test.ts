import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { parseConfig } from "../../src/core/config/config.ts";
import { guardPolicyText } from "../../src/core/stack/guard-policy.ts";
import { readCheckRequest } from "../../src/guard/commands/check-request.ts";
import { decide } from "../../src/guard/decision/decide.ts";
import { createRules } from "../../src/guard/model/container-create.ts";
import { execRules } from "../../src/guard/model/exec-create.ts";
import { type FieldRules, kebab } from "../../src/guard/model/field-rules.ts";
import { hostRules } from "../../src/guard/model/host-config.ts";
import { endpointFields } from "../../src/guard/model/networking-config.ts";
import { readPolicy } from "../../src/guard/policy/policy.ts";
import { policySchema } from "../../src/guard/policy/policy-schema.ts";
import { policyText } from "../../src/guard/policy/policy-text.ts";
import { routes } from "../../src/guard/request/routes.ts";
import { factsOf, policyOf, preset } from "./support/create-world.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const guide = read("docs/guard.md");

/** The rows of a table between markers, cell by cell. */
function rowsOf(region: string): string[][] {
  const [, text = ""] = new RegExp(`<!-- ${region} -->([\\s\\S]*?)<!-- /${region} -->`).exec(guide) ?? [];
  const rows = text.split("\n").filter((line) => /^\| `/.test(line));
  return rows.map((line) => line.slice(2, -2).split(" | "));
}

/** What stands in backticks, outside of blocks of code. */
function named(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, "");
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
}

function blocks(path: string, language: string): string[] {
  return [...read(path).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
    ([, text = ""]) => text,
  );
}

/** What looks like a rule in the source and is none. */
const otherWords = ["docker.io", "status.json", "ofelia.enabled", "traefik.enable", "sandbox-deploy.guard"];

/** Every rule that the code can name: as text, or put together from the name of a field, a header or an operation. */
function rulesOfCode(): string[] {
  const files = readdirSync(join(root, "src/guard"), { recursive: true, encoding: "utf8" });
  const sources = files.filter((name) => name.endsWith(".ts")).map((name) => read(`src/guard/${name}`));
  const found = (pattern: RegExp, prefix = ""): string[] =>
    sources.flatMap((text) => [...text.matchAll(pattern)].map(([, name = ""]) => `${prefix}${name}`));
  const refused = (rules: FieldRules<never>, prefix: string): string[] => [
    `${prefix}.unknown-field`,
    ...[...rules].flatMap(([name, { kind }]) => (kind === "refused" ? [`${prefix}.${kebab(name)}`] : [])),
  ];
  const rules = [
    "console-size",
    ...found(/"([a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)*)"/g),
    ...found(/\bfault\(reader, "([a-z0-9-]+)"/g, "json."),
    ...found(/\brefuse\(\s*"([a-z-]+)"/g, "bind."),
    ...found(/^ {2}\["([a-z0-9-]+)", "/gm, "framing."),
    ...refused(createRules, "config"),
    ...refused(hostRules, "host-config"),
    ...refused(execRules, "exec"),
    ...endpointFields.map((name) => `networking-config.${kebab(name)}`),
    ...routes.flatMap(({ group }) => (group === undefined ? [] : [`route.${group}-off`])),
  ];
  return [...new Set(rules)].filter((rule) => !otherWords.includes(rule)).sort();
}

describe("the guide to the guard", () => {
  test("explains every rule and every operation", () => {
    const words = named(guide);
    expect(rulesOfCode().length).toBeGreaterThan(200);
    expect(rulesOfCode().filter((rule) => !words.includes(rule))).toEqual([]);
  });

  test("explains no rule twice, and none that the code does not have", () => {
    const rules = rowsOf("rules").flatMap(([cell = ""]) => named(cell));
    const known = rulesOfCode();
    expect(rules.filter((rule, index) => rules.indexOf(rule) !== index || !known.includes(rule))).toEqual([]);
  });

  test("explains every key of a policy, with its default", () => {
    const least = "owner: o\nimages: [a]\nnames: n\nnetwork: none\n";
    const schema = z.toJSONSchema(policySchema, { io: "input", unrepresentable: "any" });
    const rows = rowsOf("policy").map(([key = "", standard = ""]) => `${key} ${standard}`);
    expect(rows.sort()).toEqual(keyRows(schema, parse(policyText(policyOf(least))), "").sort());
  });

  test.each(["README.md", "docs/guard.md"])("%s shows only policies that the guard accepts", (path) => {
    const policies = blocks(path, "yaml").flatMap((text) => {
      if (text.startsWith("owner:")) return [text];
      const config = text.startsWith("version: 1") ? parseConfig({ file: path, text }) : undefined;
      if (!config?.ok || !text.includes("guard:")) return [];
      const { guard } = config.value.config.sandbox.docker;
      return [guardPolicyText(read(`templates/guard/${guard.preset}.yaml`), guard, "agents")];
    });
    expect(policies.length).toBeGreaterThan(0);
    expect(policies.flatMap((text) => readPolicy(text, { images: ["a"] }).findings)).toEqual([]);
  });

  test("shows a request that is refused by the rule that it says", () => {
    const [text = ""] = blocks("docs/guard.md", "json");
    const policy = preset("default");
    const decision = decide(readCheckRequest(text), policy, factsOf({ policy }));
    expect(decision).toMatchObject({ kind: "deny", status: 403 });
    expect(guide).toContain(`refused by ${decision.kind === "deny" ? decision.rule : "nothing"}, with status 403`);
  });
});

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** A row for every key: its name, and `required`, its default as it is written in YAML, or `none`. */
function keyRows(schema: unknown, written: unknown, path: string): string[] {
  const { required, properties } = fieldsOf(schema);
  return Object.entries(fieldsOf(properties)).flatMap(([key, child]) => {
    const { default: standard, properties: inner, items } = fieldsOf(child);
    const name = `${path}${key}`;
    const below = fieldsOf(written)[key];
    const rows = keyRows(inner === undefined ? items : child, below, inner === undefined ? `${name}[].` : `${name}.`);
    // A section with defaults of its own is its keys.
    if (rows.length > 0 && inner !== undefined && below !== undefined) return rows;
    const needed = Array.isArray(required) && required.includes(key);
    const value = below ?? standard;
    const shown = value === undefined ? "none" : `\`${JSON.stringify(value).replaceAll('"', "")}\``;
    return [`\`${name}\` ${needed ? "required" : shown}`, ...rows];
  });
}
