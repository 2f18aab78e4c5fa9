import type * as z from "zod";
import type { Finding, Position } from "../findings/finding.ts";
import { suggest } from "../findings/suggest.ts";
import { configSchema } from "./config-schema.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** Tells where a key and where its value were written. */
export interface Places {
  readonly keyAt: (path: Path) => Position;
  readonly valueAt: (path: Path) => Position;
}

/** Turns one issue of the schema into findings: unknown keys point at the key, wrong values at the value. */
export function issueFindings(issue: Issue, places: Places): Finding[] {
  const name = nameOf(issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey(key, issue.path, places.keyAt([...issue.path, key])));
  }
  if (issue.code === "invalid_union") {
    const meant = meantBranch(issue);
    if (meant) return meant.flatMap((inner) => issueFindings(inner, places));
  }
  if (issue.input === undefined && issue.code !== "custom") {
    const fix = `add ${String(issue.path.at(-1) ?? "it")}: ${sample(issue)}`;
    return [{ code: "D013", severity: "error", message: `${name} is missing`, fix, at: places.keyAt(issue.path) }];
  }
  const at = places.valueAt(issue.path);
  const allowed = allowedValues(issue);
  if (allowed.length > 0) return [wrongChoice(name, issue, allowed, at)];
  if (issue.code === "invalid_type") {
    const wanted = article(issue.expected);
    const message = `${name} must be ${wanted}`;
    return [{ code: "D013", severity: "error", message, fix: `write ${wanted} here`, at }];
  }
  return [wrongValue(name, issue, at)];
}

function nameOf(path: Path): string {
  return (
    path.reduce<string>((name, step) => {
      if (typeof step === "number") return `${name}[${step}]`;
      return name === "" ? String(step) : `${name}.${String(step)}`;
    }, "") || "the file"
  );
}

/** The branch of a union that was meant: one that fails only below its root. Its issues get the path of the union. */
function meantBranch({ errors, path }: Extract<Issue, { code: "invalid_union" }>): Issue[] | undefined {
  const meant = errors.find((branch) =>
    branch.every((each) => each.path.length > 0 || each.code === "unrecognized_keys"),
  );
  return meant?.map((each) => ({ ...each, path: [...path, ...each.path] }));
}

/** The values that a choice allows, also where it is a union of choices. */
function allowedValues(issue: Issue): string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  return issue.code === "invalid_union" ? issue.errors.flatMap((branch) => branch.flatMap(allowedValues)) : [];
}

function wrongChoice(name: string, issue: Issue, allowed: readonly string[], at: Position): Finding {
  const others = issue.code === "invalid_union" ? issue.errors.flat().flatMap(expectedType) : [];
  const list = allowed.join(", ");
  const wanted = [allowed.length > 1 ? `one of ${list}` : list, ...others].join(" or ");
  const near = typeof issue.input === "string" ? suggest(issue.input, allowed) : undefined;
  const fix = near && near !== issue.input ? `did you mean ${near}?` : `set ${name} to ${wanted}`;
  return { code: "D012", severity: "error", message: `${name} must be ${wanted}`, fix, at };
}

function expectedType(issue: Issue): string[] {
  return issue.code === "invalid_type" ? [article(issue.expected)] : [];
}

function wrongValue(name: string, issue: Issue, at: Position): Finding {
  return {
    code: "D012",
    severity: "error",
    message: issue.code === "custom" ? `${name}: ${issue.message}` : `${name} ${ruleOf(issue)}`,
    fix: ownFix(issue) ?? "change it; deploy.config.yaml in the tool's folder describes every key",
    at,
  };
}

/** A rule between keys says itself what to do. */
function ownFix(issue: Issue): string | undefined {
  const fix: unknown = issue.code === "custom" ? issue.params?.["fix"] : undefined;
  return typeof fix === "string" ? fix : undefined;
}

function ruleOf(issue: Issue): string {
  switch (issue.code) {
    case "too_small":
      return issue.origin === "number"
        ? `must be ${issue.minimum} or more`
        : `must have at least ${issue.minimum} ${issue.origin === "string" ? "character" : "entr"}${plural(issue.origin, Number(issue.minimum))}`;
    case "too_big":
      return issue.origin === "string"
        ? `must have at most ${issue.maximum} characters`
        : `must be ${issue.maximum} or less`;
    case "invalid_format":
      return issue.format === "starts_with" && "prefix" in issue
        ? `must begin with ${String(issue.prefix)}`
        : `must be ${issue.message}`;
    default:
      return `is not valid: ${issue.message}`;
  }
}

function plural(origin: string, count: number): string {
  if (origin === "string") return count === 1 ? "" : "s";
  return count === 1 ? "y" : "ies";
}

function sample(issue: Issue): string {
  const [first] = allowedValues(issue);
  return first ?? (issue.code === "invalid_type" ? `<${article(issue.expected).replace(/^an? /, "")}>` : "…");
}

function article(type: string): string {
  const name =
    { object: "mapping", record: "mapping", array: "list", int: "whole number", string: "text" }[type] ?? type;
  return name === "text" ? name : `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
}

function unknownKey(key: string, path: Path, at: Position): Finding {
  const known = knownKeys(path);
  const near = suggest(key, known);
  const fix = near
    ? `did you mean ${nameOf([...path, near])}?`
    : known.length > 0
      ? `known here: ${known.join(", ")}`
      : "remove it";
  return { code: "D011", severity: "error", message: `${nameOf([...path, key])} is not a known key`, fix, at };
}

/** The keys that the schema allows below a path, read from the schema itself. */
function knownKeys(path: Path): string[] {
  let candidates: unknown[] = [configSchema];
  for (const step of path) candidates = candidates.flatMap(alternatives).flatMap((schema) => childOf(schema, step));
  return [...new Set(candidates.flatMap(alternatives).flatMap(keysOf))];
}

/** A schema without its wrappers (default, optional), or each branch of a union. */
function alternatives(schema: unknown): unknown[] {
  let inner = schema;
  while (hasKey(inner, "unwrap") && typeof inner.unwrap === "function" && !hasKey(inner, "element"))
    inner = inner.unwrap();
  return hasKey(inner, "options") && Array.isArray(inner.options) && !hasKey(inner, "enum")
    ? inner.options.flatMap(alternatives)
    : [inner];
}

function childOf(schema: unknown, step: PropertyKey): unknown[] {
  if (hasKey(schema, "shape") && hasKey(schema.shape, String(step))) return [schema.shape[String(step)]];
  return hasKey(schema, "element") ? [schema.element] : [];
}

function keysOf(schema: unknown): string[] {
  if (hasKey(schema, "shape") && typeof schema.shape === "object" && schema.shape !== null)
    return Object.keys(schema.shape);
  if (!hasKey(schema, "keyType") || !hasKey(schema.keyType, "options") || !Array.isArray(schema.keyType.options))
    return [];
  return schema.keyType.options.map(String);
}

function hasKey<K extends string>(value: unknown, key: K): value is Record<K, unknown> {
  return typeof value === "object" && value !== null && key in value;
}
