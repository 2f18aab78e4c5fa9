import { failure, type Outcome, success } from "../findings/finding.ts";
import type { DetectionRule, DetectionRules } from "./detection-rules.ts";
import type { Because, Detection } from "./mode.ts";
import {
  environmentFix,
  findValue,
  type GatewayEnvironment,
  isTruthy,
  type PlatformConfig,
  placeAt,
  type Resolved,
  resolveValue,
} from "./platform-config.ts";
import { keyText, type PyNode } from "./pyyaml-tree.ts";

/** What rules are applied to; `config` is undefined where no rule reads the platform's file. */
export interface RuleInput {
  readonly rules: Exclude<DetectionRules, string>;
  readonly config: PlatformConfig | undefined;
  readonly environment: GatewayEnvironment;
}

interface Subject {
  readonly label: string;
  /** The value as text, undefined for null, for a list or mapping, and for what is absent. */
  readonly text: string | undefined;
  readonly truthy: boolean;
  readonly place: Pick<Because, "file" | "line">;
}

/** Applies rules in order; undefined means that none holds. An unknown environment that would decide is an error (D021). */
export function applyRules(input: RuleInput): Outcome<Detection | undefined> {
  for (const [index, rule] of input.rules.rules.entries()) {
    const subject = readSubject(rule, input);
    if (!subject.ok) return subject;
    const held = holds(rule, subject.value);
    if (held === undefined) continue;
    const { label, place } = subject.value;
    const key = rule.key ?? rule.variable;
    const because = {
      text: `${label} ${held}`,
      ...place,
      ...(key === undefined ? {} : { key }),
      ...(rule.equals === undefined ? {} : { value: rule.equals }),
      rule: rule.name ?? `rule ${index + 1}`,
    };
    return success({ mode: rule.mode, because });
  }
  return success(undefined);
}

/** Says how a rule holds, quoting only what the rule itself says; undefined means that it does not. */
function holds(rule: DetectionRule, { text, truthy }: Subject): string | undefined {
  if (rule.equals !== undefined) return text === rule.equals ? `= ${rule.equals}` : undefined;
  if (rule.matches !== undefined) {
    return text !== undefined && new RegExp(rule.matches, "u").test(text) ? `matches /${rule.matches}/` : undefined;
  }
  return truthy ? "is set" : undefined;
}

function readSubject(rule: DetectionRule, input: RuleInput): Outcome<Subject> {
  if (rule.variable !== undefined) return readVariable(rule.variable, input.environment);
  const { config } = input;
  const path = rule.key ?? "";
  const node = config && findPath(config, path);
  if (!config || !node) return success({ label: path, text: undefined, truthy: false, place: {} });
  const at = placeAt(config.source, node.offset);
  const place = { file: at.file, ...(at.line === undefined ? {} : { line: at.line }) };
  const label = `${at.file}:${at.line} ${path}`;
  // `$NAME` is DeerFlow's notation: only where its rules are the default does the platform read it.
  const resolved: Resolved =
    input.rules.default === "deer-flow" ? resolveValue(node, input.environment) : { state: "known", node };
  if (resolved.state === "unknown") {
    const message = `${path} comes from the environment of the gateway, which is not known, and a rule reads it`;
    return failure({ code: "D021", severity: "error", message, fix: environmentFix, at });
  }
  // An unset variable stops the platform; the built-in rules report it.
  if (resolved.state === "unset") return success({ label, text: undefined, truthy: false, place });
  return success({ label, text: scalarText(resolved.node), truthy: isTruthy(resolved.node), place });
}

function readVariable(variable: string, environment: GatewayEnvironment): Outcome<Subject> {
  if (environment === undefined) {
    const message = `a rule reads the variable ${variable}, and the environment of the gateway is not known`;
    return failure({ code: "D021", severity: "error", message, fix: environmentFix });
  }
  const text = environment.get(variable);
  const label = `the gateway's environment: ${variable}`;
  return success({ label, text, truthy: text !== undefined && text !== "", place: {} });
}

function findPath(config: PlatformConfig, path: string): PyNode | undefined {
  const [first = "", ...rest] = path.split(".");
  let node = findValue(config.entries, first);
  for (const name of rest) node = node?.kind === "map" ? findValue(node.entries, name) : undefined;
  return node;
}

function scalarText(node: PyNode): string | undefined {
  if (node.kind === "null" || node.kind === "list" || node.kind === "map") return undefined;
  return keyText(node);
}
