import { type Document, isMap, isNode, isPair, isScalar, LineCounter, type Node, parseAllDocuments } from "yaml";
import type * as z from "zod";
import { configSchema, type DeployConfig } from "./config-schema.ts";
import { type Finding, failure, type Outcome, type Position, success } from "./finding.ts";
import { positionAt, type Source } from "./source.ts";
import { suggest } from "./suggest.ts";

export type { DeployConfig } from "./config-schema.ts";

/** A read configuration that still knows where each value was written. */
export interface ConfigFile {
  readonly config: DeployConfig;
  /** The place of a key, or of the nearest enclosing one that was written. */
  positionOf(path: readonly PropertyKey[]): Position;
}

/** Parses deploy.config.yaml; on failure every problem is listed with its place and a fix. */
export function parseConfig(source: Source): Outcome<ConfigFile> {
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(source.text, { lineCounter, prettyErrors: false });
  const document = "empty" in documents ? undefined : documents[0];
  const syntax = documents.flatMap((each) =>
    [...each.errors, ...each.warnings].map((error) => yamlFinding(source, error)),
  );
  if (documents.length > 1) syntax.push(secondDocument(source, documents[1]));
  if (syntax.length > 0) return failure(...syntax);
  const positionOf = (path: readonly PropertyKey[]) => positionAt(source, document ? offsetOf(document, path) : 0);
  const parsed = configSchema.safeParse(document?.toJS({ maxAliasCount: 100 }) ?? {});
  if (parsed.success) return success({ config: parsed.data, positionOf });
  return failure(...parsed.error.issues.flatMap((issue) => issueFindings(issue, positionOf)));
}

function yamlFinding(source: Source, error: { message: string; pos: [number, number] }): Finding {
  return {
    code: "D010",
    severity: "error",
    message: `this is not valid YAML: ${error.message}`,
    fix: "check the indentation (spaces, no tabs) and the quotes on this line and the one before",
    at: positionAt(source, error.pos[0]),
  };
}

function secondDocument(source: Source, document: Document.Parsed | undefined): Finding {
  return {
    code: "D010",
    severity: "error",
    message: "this file holds more than one YAML document",
    fix: "remove the `---` line that begins the second document",
    at: positionAt(source, document?.range[0] ?? 0),
  };
}

/** Finds where a path was written, falling back to the nearest parent that was. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? startOf(node) : 0;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
      if (!pair || !isNode(pair.key)) return offset;
      offset = startOf(pair.key);
      node = pair.value;
    } else {
      const child: unknown =
        isNode(node) && "get" in node ? document.getIn(path.slice(0, path.indexOf(key) + 1), true) : undefined;
      if (!isNode(child)) return offset;
      offset = startOf(child);
      node = child;
    }
  }
  return offset;
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

function issueFindings(issue: z.core.$ZodIssue, positionOf: ConfigFile["positionOf"]): Finding[] {
  const name = issue.path.map(String).join(".") || "the file";
  const at = positionOf(issue.path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(key, issue.path, positionOf([...issue.path, key])));
    case "invalid_value": {
      const allowed = issue.values.map(String).join(", ");
      const found = suggest(String(issue.input ?? ""), issue.values.map(String));
      const missing = issue.input === undefined;
      return [
        {
          code: missing ? "D013" : "D012",
          severity: "error",
          message: missing
            ? `${name} is missing`
            : `${name} must be ${issue.values.length > 1 ? "one of " : ""}${allowed}`,
          fix:
            found && !missing
              ? `did you mean ${found}?`
              : `set ${name} to ${issue.values.length > 1 ? `one of ${allowed}` : allowed}`,
          at,
        },
      ];
    }
    case "invalid_type": {
      const what = issue.input === undefined ? "is missing" : `must be ${article(issue.expected)}`;
      return [
        {
          code: "D013",
          severity: "error",
          message: `${name} ${what}`,
          fix: `write ${article(issue.expected)} here`,
          at,
        },
      ];
    }
    default:
      return [
        {
          code: "D012",
          severity: "error",
          message: `${name} is not valid: ${issue.message}`,
          fix: `see ${name} in deploy.schema.json`,
          at,
        },
      ];
  }
}

function article(type: string): string {
  const name = { object: "mapping", record: "mapping", array: "list", int: "whole number" }[type] ?? type;
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
}

function unknownKey(key: string, path: readonly PropertyKey[], at: Position): Finding {
  const known = knownKeys(path);
  const near = suggest(key, known);
  const name = [...path, key].map(String).join(".");
  return {
    code: "D011",
    severity: "error",
    message: `${name} is not a known key`,
    fix: near ? `did you mean ${[...path, near].map(String).join(".")}?` : `known here: ${known.join(", ")}`,
    at,
  };
}

/** The keys that the schema allows below a path, read from the schema itself. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: unknown = configSchema;
  for (const step of path) {
    const inner = unwrap(schema);
    if (hasKey(inner, "shape") && hasKey(inner.shape, String(step))) schema = inner.shape[String(step)];
    else if (hasKey(inner, "element")) schema = inner.element;
    else return [];
  }
  const inner = unwrap(schema);
  return hasKey(inner, "shape") && typeof inner.shape === "object" && inner.shape !== null
    ? Object.keys(inner.shape)
    : [];
}

/** Strips default, prefault and optional wrappers from a schema. */
function unwrap(schema: unknown): unknown {
  let inner = schema;
  while (hasKey(inner, "unwrap") && typeof inner.unwrap === "function" && !hasKey(inner, "element"))
    inner = inner.unwrap();
  return inner;
}

function hasKey<K extends string>(value: unknown, key: K): value is Record<K, unknown> {
  return typeof value === "object" && value !== null && key in value;
}
