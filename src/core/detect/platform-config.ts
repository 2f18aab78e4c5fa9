import { type Finding, failure, type Outcome, type Position, success } from "../findings/finding.ts";
import { positionAt, type Source } from "../findings/source.ts";
import { loadPyYaml } from "./pyyaml.ts";
import type { Refusal } from "./pyyaml-lexis.ts";
import { keyText, type PyEntry, type PyNode } from "./pyyaml-tree.ts";

/** A platform's configuration as its runtime reads it; references to the environment are still unresolved. */
export interface PlatformConfig {
  /** The file with its line breaks as Python sees them: the text that offsets count in. */
  readonly source: Source;
  readonly entries: readonly PyEntry[];
}

/** The environment of the gateway's container; undefined where it is not known. */
export type GatewayEnvironment = ReadonlyMap<string, string> | undefined;

/** What a value is once `$NAME` is looked up; `unset` and `unknown` carry the name. */
export type Resolved =
  | { readonly state: "known"; readonly node: PyNode; readonly variable?: string }
  | { readonly state: "unset"; readonly variable: string }
  | { readonly state: "unknown"; readonly variable: string };

/** Reads the file as PyYAML would (D010, D020), naming the keys it holds twice (D022); findings never quote its lines. */
export function readPlatformConfig(original: Source): Outcome<PlatformConfig> {
  const load = loadPyYaml(original.text);
  const source = { file: original.file, text: load.text };
  if (!load.ok) return failure(...load.refusals.map((refusal) => refusalFinding(source, refusal)));
  const warnings = load.duplicates.map(({ key, offset, firstOffset }): Finding => {
    const first = positionAt(source, firstOffset);
    return {
      code: "D022",
      severity: "warning",
      message: `${JSON.stringify(key)} is here a second time; the platform uses this one, not ${first.file}:${first.line}:${first.column}`,
      fix: "remove one of the two",
      at: placeAt(source, offset),
    };
  });
  if (load.root.kind === "map") return success({ source, entries: load.root.entries }, warnings);
  // DeerFlow reads any falsy document as an empty mapping (`safe_load(f) or {}` in AppConfig.from_file).
  if (!isTruthy(load.root)) return success({ source, entries: [] }, warnings);
  return failure({
    code: "D020",
    severity: "error",
    message: "the platform would refuse its configuration file: the top level is not a mapping of keys",
    fix: "write keys such as `sandbox:` at the top level",
    at: placeAt(source, load.root.offset),
  });
}

/** Where an offset lies, without the line's text: a platform's configuration may hold keys to other services. */
export function placeAt(source: Source, offset: number): Position {
  const { file, line, column } = positionAt(source, offset);
  return { file, ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) };
}

/** The value under a text key of one mapping. */
export function findValue(entries: readonly PyEntry[], name: string): PyNode | undefined {
  return entries.find(({ key }) => key.kind === "str" && key.value === name)?.value;
}

/** Whether Python's `if value:` holds: empty text, zero, false, null and empty collections do not. */
export function isTruthy(node: PyNode): boolean {
  switch (node.kind) {
    case "null":
      return false;
    case "bool":
      return node.value;
    case "int":
      return node.value !== 0n;
    case "float":
      return node.value !== 0;
    case "str":
      return node.value !== "";
    case "timestamp":
      return true;
    case "list":
      return node.items.length > 0;
    case "map":
      return node.entries.length > 0;
  }
}

/**
 * Looks a value up as DeerFlow's `AppConfig.resolve_env_variables` does: text that starts with `$` is replaced by the
 * variable that the rest of the text names, braces included.
 */
export function resolveValue(node: PyNode, environment: GatewayEnvironment): Resolved {
  if (node.kind !== "str" || !node.value.startsWith("$")) return { state: "known", node };
  const variable = node.value.slice(1);
  if (environment === undefined) return { state: "unknown", variable };
  const value = environment.get(variable);
  if (value === undefined) return { state: "unset", variable };
  return { state: "known", node: { kind: "str", value, offset: node.offset }, variable };
}

/** Reports every `$NAME` in the file that the gateway lacks (D021), each of which stops DeerFlow's load. */
export function checkReferences({ source, entries }: PlatformConfig, environment: GatewayEnvironment): Finding[] {
  const findings = new Map<number, Finding>();
  let unknown = 0;
  walkValues(entries, "", new Set(), (node, path) => {
    const resolved = resolveValue(node, environment);
    if (resolved.state === "unknown") unknown += 1;
    if (resolved.state === "unset")
      findings.set(node.offset, unsetFinding(source, node.offset, path, resolved.variable));
  });
  if (unknown > 0) {
    const message = `the environment of the gateway is not known, so ${unknown} value(s) that start with $ were not checked`;
    return [{ code: "D021", severity: "info", message, fix: environmentFix, at: { file: source.file } }];
  }
  return [...findings.values()];
}

/** What to do where the gateway's environment would decide and is not known. */
export const environmentFix = "name the gateway's environment file with --env-file";

/** A variable's name for messages; what follows a `$` may be a password, so only a conventional name is shown. */
export function showVariable(variable: string): string {
  return /^(?:[A-Z][A-Z0-9_]*|\{[A-Z][A-Z0-9_]*\})$/.test(variable) ? `the variable ${variable}` : "a variable";
}

function unsetFinding(source: Source, offset: number, path: string, variable: string): Finding {
  const braces = /^\{(.*)\}$/.test(variable);
  return {
    code: "D021",
    severity: "error",
    message: `${path} starts with $ and so names ${showVariable(variable)}, which the gateway's environment does not have`,
    fix: braces
      ? "write $NAME without braces: the platform takes the braces for a part of the name"
      : "name it under environment: or env_file: of the gateway's service, in a file under compose.overlays.always (a line in .env reaches no container by itself), or remove the value",
    at: placeAt(source, offset),
  };
}

function walkValues(
  entries: readonly PyEntry[],
  prefix: string,
  seen: Set<unknown>,
  visit: (node: PyNode, path: string) => void,
): void {
  const step = (node: PyNode, path: string): void => {
    visit(node, path);
    if (node.kind === "map") walkValues(node.entries, `${path}.`, seen, visit);
    if (node.kind !== "list" || seen.has(node.items)) return;
    seen.add(node.items);
    for (const [index, item] of node.items.entries()) step(item, `${path}[${index}]`);
  };
  if (seen.has(entries)) return;
  seen.add(entries);
  for (const { key, value } of entries) step(value, prefix + keyText(key));
}

function refusalFinding(source: Source, { offset, kind, problem, fix }: Refusal): Finding {
  return {
    code: kind === "syntax" ? "D010" : "D020",
    severity: "error",
    message: `the platform would refuse its configuration file, or read it otherwise than it looks: it ${problem}`,
    ...(fix === undefined ? {} : { fix }),
    at: placeAt(source, offset),
  };
}
