import { type Alias, type Document, isAlias, isMap, isPair, isScalar, isSeq, type Pair, Scalar } from "yaml";
import { deepestNesting, type Refusal, tooDeep } from "./pyyaml-lexis.ts";
import { type PyScalar, resolvePlain } from "./pyyaml-scalars.ts";

/** A value as Python would hold it; `offset` is where the file says it (an alias, not what it stands for). */
export type PyNode = { readonly offset: number } & (
  | Exclude<PyScalar, { readonly kind: "merge" | "value" } | { readonly kind: "refused" }>
  | { readonly kind: "list"; readonly items: readonly PyNode[] }
  | { readonly kind: "map"; readonly entries: readonly PyEntry[] }
);

/** One key and its value in a mapping, after merge keys and duplicates. */
export interface PyEntry {
  readonly key: PyNode;
  readonly value: PyNode;
}

/** A key that a mapping says twice; the one at `offset` wins. */
export interface DuplicateKey {
  readonly key: string;
  readonly offset: number;
  readonly firstOffset: number;
}

/** The document as a tree, with all that is wrong with it and the keys it says twice. */
export interface PyTree {
  readonly root: PyNode;
  readonly refusals: readonly Refusal[];
  readonly duplicates: readonly DuplicateKey[];
}

interface Build {
  readonly text: string;
  readonly anchors: Map<string, PyNode | "open">;
  readonly refusals: Refusal[];
  readonly duplicates: DuplicateKey[];
}

/** Builds the values that PyYAML's composer and safe constructor would build from a parsed document. */
export function buildTree(document: Document.Parsed, text: string): PyTree {
  const build: Build = { text, anchors: new Map(), refusals: [], duplicates: [] };
  const root = buildNode(build, document.contents, 0, 0);
  if (isScalar(document.contents) && document.contents.type?.startsWith("BLOCK")) {
    refuse(build, content(root.offset, "is one block of text", "start the file with a key"));
  }
  return { root, refusals: build.refusals, duplicates: build.duplicates };
}

function buildNode(build: Build, node: unknown, fallback: number, depth: number): PyNode {
  if (isAlias(node)) return followAlias(build, node);
  if (!isScalar(node) && !isMap(node) && !isSeq(node)) return { kind: "null", offset: fallback };
  const offset = node.range?.[0] ?? fallback;
  if (depth > deepestNesting) return refuse(build, tooDeep(offset));
  if (node.anchor !== undefined) {
    if (build.anchors.has(node.anchor)) {
      refuse(build, content(offset, `defines the anchor &${node.anchor} twice`, "give the second anchor another name"));
    }
    build.anchors.set(node.anchor, "open");
  }
  const built = buildValue(build, node, offset, depth);
  if (node.anchor !== undefined) build.anchors.set(node.anchor, built);
  return built;
}

function buildValue(build: Build, node: unknown, offset: number, depth: number): PyNode {
  if (isScalar(node)) return buildScalar(build, node, offset);
  if (isSeq(node)) {
    checkTag(build, node.tag, "seq", offset);
    const items = node.items.map((item) =>
      // `[a: 1]` holds a pair where PyYAML sees a mapping of one key.
      isPair(item) ? buildPairs(build, [item], offset, depth + 1) : buildNode(build, item, offset, depth + 1),
    );
    return { kind: "list", items, offset };
  }
  if (isMap(node)) {
    checkTag(build, node.tag, "map", offset);
    return buildPairs(build, node.items, offset, depth);
  }
  return { kind: "null", offset };
}

/** PyYAML wants a key before each `:`, on one line with it; the `yaml` package wants neither. */
function checkPair(build: Build, { srcToken }: Pair<unknown, unknown>): void {
  const sep = srcToken?.sep ?? [];
  const colon = sep.findIndex(({ type }) => type === "map-value-ind");
  const offset = sep[colon]?.offset;
  if (!srcToken || offset === undefined) return;
  const { start, key } = srcToken;
  const prop = start.findIndex(({ type }) => type === "anchor" || type === "tag");
  const between = [...(prop < 0 ? [] : start.slice(prop)), ...sep.slice(0, colon)];
  if (!key) refuse(build, { offset, kind: "syntax", problem: "has a colon without a key before it" });
  else if (between.some(({ type }) => type === "newline") || ("source" in key && key.source.includes("\n"))) {
    refuse(build, { offset, kind: "syntax", problem: "has a key that spans several lines" });
  } else if (offset - (start[prop]?.offset ?? key.offset) > longestKey) {
    refuse(build, { offset, kind: "syntax", problem: `has a key longer than ${longestKey} characters` });
  }
}

/** How far PyYAML's scanner looks back from a colon for the start of its key. */
const longestKey = 1024;

function buildPairs(build: Build, pairs: readonly Pair<unknown, unknown>[], offset: number, depth: number): PyNode {
  const merged = new Map<string, PyEntry>();
  const own = new Map<string, PyEntry>();
  for (const pair of pairs) {
    checkPair(build, pair);
    if (isMergeKey(pair.key)) {
      const source = buildNode(build, pair.value, offset, depth + 1);
      for (const [name, entry] of mergeSource(build, source)) merged.set(name, entry);
      continue;
    }
    const key = buildKey(build, pair.key, offset, depth);
    const value = buildNode(build, pair.value, key.offset, depth + 1);
    const name = hashKey(key);
    if (name === undefined) {
      refuse(build, content(key.offset, "uses a list or a mapping as a key", "quote the key, or write it as one word"));
      continue;
    }
    const first = own.get(name);
    if (first) build.duplicates.push({ key: keyText(key), offset: key.offset, firstOffset: first.key.offset });
    own.set(name, { key, value });
  }
  return { kind: "map", entries: [...new Map([...merged, ...own]).values()], offset };
}

function buildKey(build: Build, key: unknown, offset: number, depth: number): PyNode {
  // A key that is a single `=` is text for PyYAML, although the same value is refused.
  if (isScalar(key) && key.value === "=" && key.type === Scalar.PLAIN && key.tag === undefined) {
    return { kind: "str", value: "=", offset: key.range?.[0] ?? offset };
  }
  return buildNode(build, key, offset, depth + 1);
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === "<<" && key.type === Scalar.PLAIN && key.tag === undefined;
}

function mergeSource(build: Build, source: PyNode): Map<string, PyEntry> {
  const entries = new Map<string, PyEntry>();
  const sources = source.kind === "list" ? [...source.items].reverse() : [source];
  for (const one of sources) {
    if (one.kind !== "map") {
      refuse(
        build,
        content(source.offset, "merges something that is not a mapping (<<)", "merge only aliases of mappings"),
      );
      continue;
    }
    for (const entry of one.entries) entries.set(hashKey(entry.key) ?? "", entry);
  }
  return entries;
}

function followAlias(build: Build, alias: Alias): PyNode {
  const offset = alias.range?.[0] ?? 0;
  const target = build.anchors.get(alias.source);
  if (target === undefined) {
    return refuse(
      build,
      content(offset, `uses the alias *${alias.source} before its anchor`, "define the anchor first"),
    );
  }
  if (target === "open") {
    return refuse(build, content(offset, `puts *${alias.source} inside itself`, "remove the alias"));
  }
  return { ...target, offset };
}

function buildScalar(build: Build, node: Scalar, offset: number): PyNode {
  const text = scalarText(build, node, offset);
  const tag = node.tag?.replace("tag:yaml.org,2002:", "");
  if (tag === "str") return { kind: "str", value: text, offset };
  if (tag === undefined && node.type !== Scalar.PLAIN) return { kind: "str", value: text, offset };
  const scalar = resolvePlain(text);
  if (tag !== undefined && tag !== scalar.kind) return refuse(build, refusedTag(tag, offset));
  switch (scalar.kind) {
    case "merge":
    case "value":
      return refuse(build, content(offset, "has a bare << or = as a value", "quote it"));
    case "refused":
      return refuse(build, content(offset, `has a value that ${scalar.problem}`, "quote the value"));
    default:
      return { ...scalar, offset };
  }
}

/** The text of a scalar; PyYAML, unlike the package, ends no block scalar with a line break that the file lacks. */
function scalarText(build: Build, node: Scalar, offset: number): string {
  const text = String(node.value ?? "");
  const block = node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED;
  const rest = build.text.slice(node.range?.[1] ?? 0);
  if (!block || build.text.endsWith("\n") || /[^ ]/.test(rest)) return text;
  if (/[^ \n]$/.test(build.text)) return text.replace(/\n$/, "");
  refuse(build, content(offset, "ends in spaces inside a block of text", "end the file with a line break"));
  return text;
}

function checkTag(build: Build, tag: string | undefined, expected: "seq" | "map", offset: number): void {
  const short = tag?.replace("tag:yaml.org,2002:", "");
  if (short !== undefined && short !== expected) refuse(build, refusedTag(short, offset));
}

function refusedTag(tag: string, offset: number): Refusal {
  const standard = ["binary", "set", "omap", "pairs", "timestamp", "int", "float", "bool", "null"].includes(tag);
  const problem = standard
    ? `uses the tag !!${tag} in a way that is not read here`
    : "uses a tag that PyYAML's safe_load does not construct";
  return content(offset, problem, "remove the tag");
}

/** The identity of a key in a Python dict, where 1, 1.0 and true are one key; undefined for what has no hash. */
function hashKey(key: PyNode): string | undefined {
  switch (key.kind) {
    case "str":
      return `str ${key.value}`;
    case "bool":
      return `number ${key.value ? 1 : 0}`;
    case "int":
      return `number ${key.value}`;
    case "float":
      return `number ${Number.isInteger(key.value) ? BigInt(key.value) : key.value}`;
    case "null":
      return "null";
    case "timestamp":
      return `timestamp ${key.text}`;
    case "list":
    case "map":
      return undefined;
  }
}

/** A key as text for messages. */
export function keyText(key: PyNode): string {
  switch (key.kind) {
    case "str":
      return key.value;
    case "bool":
    case "int":
    case "float":
      return String(key.value);
    case "timestamp":
      return key.text;
    case "null":
      return "null";
    case "list":
    case "map":
      return `a ${key.kind}`;
  }
}

function refuse(build: Build, refusal: Refusal): PyNode {
  build.refusals.push(refusal);
  return { kind: "null", offset: refusal.offset };
}

function content(offset: number, problem: string, fix: string): Refusal {
  return { offset, kind: "content", problem, fix };
}
