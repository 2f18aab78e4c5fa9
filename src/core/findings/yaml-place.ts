import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq } from "yaml";

/** Offsets in a text of a key and of its value; for an entry of a list both are the entry's. */
export interface Place {
  readonly key: number;
  readonly value: number;
}

/** Where a path was written, or the nearest parent that was; undefined when not even its first step was. */
export function placeOf(document: Document | undefined, path: readonly PropertyKey[]): Place | undefined {
  let node: unknown = document?.contents;
  let place: Place | undefined;
  for (const step of path) {
    if (isAlias(node) && document) node = node.resolve(document);
    const child = childOf(node, step);
    if (!child) return place;
    const value = offsetOf(child.value);
    const key = offsetOf(child.key) ?? value;
    if (key === undefined) return place;
    // A key without a value has nothing behind it to point at.
    place = { key, value: isScalar(child.value) && child.value.source === "" ? key : (value ?? key) };
    node = child.value;
  }
  return place;
}

function childOf(node: unknown, step: PropertyKey): { key: unknown; value: unknown } | undefined {
  if (isSeq(node) && typeof step === "number") return { key: undefined, value: node.items[step] };
  if (!isMap(node)) return undefined;
  return node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step));
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
