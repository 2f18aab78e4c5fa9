import type * as z from "zod";
import { type PolicyFinding, type PolicyPlaces, pathText } from "./policy-finding.ts";

type Issue = z.core.$ZodIssue;

/** Turns what the schema objects to into findings, each at the key that it is about. */
export function issueFindings(issue: Issue, places: PolicyPlaces): PolicyFinding[] {
  const name = pathText(issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) =>
      places.finding([...issue.path, key], `${pathText([...issue.path, key])} is not a key of a policy`),
    );
  }
  if (issue.input === undefined) return [places.finding(issue.path, `${name} is missing; ${purpose(issue.path)}`)];
  return [places.finding(issue.path, `${name} ${ruleOf(issue)}`)];
}

const purposes: Readonly<Record<string, string>> = {
  owner: "it is the value of the label by which this guard knows its containers",
  images: "it lists what may be run, and nothing is allowed without it",
  names: "it is the pattern of what sandboxes may be called",
  network: "it is none, or the one network that sandboxes may join",
};

function purpose(path: readonly PropertyKey[]): string {
  return purposes[String(path.at(-1))] ?? "say what it is";
}

function ruleOf(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return `has to be ${article(issue.expected)}`;
    case "invalid_value":
      return `has to be ${issue.values.map(String).join(" or ")}`;
    case "too_small":
      return issue.origin === "number" || issue.origin === "int"
        ? `has to be ${issue.minimum} or more`
        : "must not be empty";
    case "too_big":
      return issue.origin === "string"
        ? `has to be ${issue.maximum} characters or less`
        : `has to be ${issue.maximum} or less`;
    case "invalid_union":
      return unionRule(issue);
    default:
      return issue.message;
  }
}

/** What the branch of a union objects to that got furthest, or what all of them want. */
function unionRule(issue: Extract<Issue, { code: "invalid_union" }>): string {
  const inner = issue.errors.flat().find((each) => each.path.length > 0);
  if (inner) return `${inner.path.map(String).join(".")} ${ruleOf(inner)}`;
  if (/^has to be /.test(issue.message)) return issue.message;
  return [...new Set(issue.errors.flat().map(ruleOf))].join(", or ");
}

function article(type: string): string {
  const known: Readonly<Record<string, string>> = {
    object: "a mapping",
    array: "a list",
    int: "a whole number",
    number: "a number",
    string: "text",
    boolean: "true or false",
  };
  return known[type] ?? type;
}
