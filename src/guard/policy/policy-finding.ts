import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, type LineCounter } from "yaml";

/** Something about a policy file: an error keeps the guard from starting, a warning is shown. Both count from 1. */
export interface PolicyFinding {
  readonly severity: "error" | "warning";
  readonly line: number;
  readonly column: number;
  /** The keys that lead to it; none where it is about the text as a whole. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** A finding as one line: `policy.yaml:4:9 error limits.pids has to be …`. */
export function formatPolicyFinding(file: string, finding: PolicyFinding): string {
  return `${file}:${finding.line}:${finding.column} ${finding.severity} ${finding.message}`;
}

/** Where something was written: as a path of keys, or as an offset. */
export type PolicyPlace = readonly PropertyKey[] | number;

/** Turns places into findings with lines and columns. */
export interface PolicyPlaces {
  readonly finding: (place: PolicyPlace, message: string, severity?: PolicyFinding["severity"]) => PolicyFinding;
}

/** The places of a parsed file; `lines` has to be the counter that it was parsed with. */
export function placesOf(document: Document | undefined, lines: LineCounter): PolicyPlaces {
  return {
    finding(place, message, severity = "error") {
      const offset = typeof place === "number" ? place : offsetOf(document, place);
      const { line, col } = lines.linePos(offset);
      return {
        severity,
        line: Math.max(line, 1),
        column: Math.max(col, 1),
        path: typeof place === "number" ? [] : place,
        message,
      };
    },
  };
}

/** Where the key at a path was written, or the nearest one above it. */
function offsetOf(document: Document | undefined, path: readonly PropertyKey[]): number {
  let node: unknown = document?.contents;
  let offset = 0;
  for (const step of path) {
    if (isAlias(node) && document) node = node.resolve(document);
    const child = isSeq(node) ? { key: undefined, value: node.items[Number(step)] } : memberOf(node, step);
    if (child === undefined) return offset;
    const marked = isNode(child.key) ? child.key : child.value;
    offset = isNode(marked) ? (marked.range?.[0] ?? offset) : offset;
    node = child.value;
  }
  return offset;
}

function memberOf(node: unknown, step: PropertyKey): { key: unknown; value: unknown } | undefined {
  if (!isMap(node)) return undefined;
  return node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step));
}

/** A path as an operator writes it: `binds.allowed[0].source`. */
export function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
  return text.replace(/^\./, "") || "the policy";
}
