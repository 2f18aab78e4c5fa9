import { deepestNesting, type Refusal, tooDeep } from "./pyyaml-lexis.ts";
import type { PyNode } from "./pyyaml-tree.ts";

/** How many values a file may hold once its aliases are expanded; a platform that copies its configuration expands them. */
export const mostValues = 1_000_000;

interface Extent {
  readonly values: number;
  readonly depth: number;
}

/** Refuses a tree whose aliases multiply (a "billion laughs") or chain beyond what Python can walk. */
export function checkExpansion(root: PyNode): readonly Refusal[] {
  const { values, depth } = measure(root, new Map());
  if (depth > deepestNesting) return [tooDeep(root.offset)];
  if (values <= mostValues) return [];
  const problem = `expands to more than ${mostValues} values through its aliases`;
  return [{ offset: root.offset, kind: "content", problem, fix: "write the values out instead of aliasing aliases" }];
}

/** The children of a collection, mapping keys included. */
function children(node: PyNode): readonly PyNode[] {
  if (node.kind === "list") return node.items;
  if (node.kind === "map") return node.entries.flatMap(({ key, value }) => [key, value]);
  return [];
}

function measure(node: PyNode, known: Map<unknown, Extent>): Extent {
  const shared = node.kind === "list" ? node.items : node.kind === "map" ? node.entries : node;
  const seen = known.get(shared);
  if (seen) return seen;
  let values = 1;
  let depth = 0;
  for (const child of children(node)) {
    const extent = measure(child, known);
    values += extent.values;
    depth = Math.max(depth, extent.depth + 1);
  }
  const extent = { values, depth };
  known.set(shared, extent);
  return extent;
}
