import { type Document, isMap, isScalar, parseDocument, stringify, type YAMLMap } from "yaml";

/** A key of a YAML file and the value that it is to have; undefined takes the key away. */
export interface YamlEdit {
  readonly path: readonly string[];
  readonly value: string | number | undefined;
}

/**
 * Changes keys of a YAML text and leaves every other byte as it is, or, where the way it is written does not allow that,
 * at least every comment. Undefined where the result would not say exactly what was asked for.
 */
export function editYaml(text: string, edits: readonly YamlEdit[]): string | undefined {
  return edits.reduce<string | undefined>(
    (edited, edit) => (edited === undefined ? undefined : editOne(edited, edit)),
    text,
  );
}

/** The value of a key as text; undefined where there is none, or more than one value. */
export function yamlValue(text: string, path: readonly string[]): string | undefined {
  const value = parseDocument(text).getIn(path);
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

function editOne(text: string, edit: YamlEdit): string | undefined {
  const document = parseDocument(text);
  if (document.errors.length > 0) return undefined;
  if (edit.value === undefined && !document.hasIn(edit.path)) return text;
  if (!leadsOnlyThroughMappings(document, edit.path)) return undefined;
  const wanted = dataWith(plain(document), edit);
  const says = (candidate: string | undefined) => candidate !== undefined && saysExactly(candidate, wanted);
  const spliced = splice(text, document, edit);
  if (says(spliced)) return spliced;
  if (document.contents === null) return undefined;
  if (edit.value === undefined) document.deleteIn(edit.path);
  else document.setIn(edit.path, edit.value);
  const whole = document.toString({ lineWidth: 0 });
  return says(whole) ? whole : undefined;
}

/** What stands where a mapping is needed is somebody's value, and not ours to replace. */
function leadsOnlyThroughMappings(document: Document, path: readonly string[]): boolean {
  return path.every((_, depth) => {
    const parent = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    return parent === undefined || parent === null || isMap(parent) || (isScalar(parent) && parent.value === null);
  });
}

function splice(text: string, document: Document, { path, value }: YamlEdit): string | undefined {
  if (value === undefined) return withoutLines(text, document, path);
  const present = document.getIn(path, true);
  if (isScalar(present) && present.range && present.source !== "")
    return text.slice(0, present.range[0]) + stringify(value).trimEnd() + text.slice(present.range[1]);
  return withNewKey(text, document, path, value);
}

/** Writes a key that is not there, below the last one of the innermost mapping that is. */
function withNewKey(
  text: string,
  document: Document,
  path: readonly string[],
  value: string | number,
): string | undefined {
  // Only comments, or nothing at all.
  if (document.contents === null)
    return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${stringify(nested(path, value))}`;
  for (let depth = path.length - 1; depth >= 0; depth -= 1) {
    const parent = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (!isMap(parent)) continue;
    const at = parent.flow ? undefined : endOfBlock(text, parent);
    if (at === undefined) return undefined;
    const lines = stringify(nested(path.slice(depth), value), { lineWidth: 0 })
      .trimEnd()
      .split("\n")
      .map((line) => `${at.indent}${line}\n`);
    const before = text.slice(0, at.offset);
    return before + (before.endsWith("\n") ? "" : "\n") + lines.join("") + text.slice(at.offset);
  }
  return undefined;
}

function nested(path: readonly string[], value: string | number): unknown {
  return path.toReversed().reduce<unknown>((inner, key) => ({ [key]: inner }), value);
}

/** Where the next line of a block mapping begins, and how far it is indented. */
function endOfBlock(text: string, map: YAMLMap): { readonly offset: number; readonly indent: string } | undefined {
  const first = map.items[0]?.key;
  if (!isScalar(first) || !first.range) return undefined;
  const keyAt = first.range[0];
  const indent = text.slice(text.lastIndexOf("\n", keyAt - 1) + 1, keyAt);
  const end = lastOffset(map.items.at(-1));
  if (/\S/.test(indent) || end === undefined) return undefined;
  const lineEnd = text.indexOf("\n", Math.max(end - 1, 0));
  return { indent, offset: lineEnd < 0 ? text.length : lineEnd + 1 };
}

function withoutLines(text: string, document: Document, path: readonly string[]): string | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent) || parent.flow) return undefined;
  const pair = parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1));
  const keyAt = isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
  const end = lastOffset(pair);
  if (keyAt === undefined || end === undefined) return undefined;
  const lineEnd = text.indexOf("\n", Math.max(end - 1, 0));
  return text.slice(0, text.lastIndexOf("\n", keyAt - 1) + 1) + (lineEnd < 0 ? "" : text.slice(lineEnd + 1));
}

/** Where the value of a pair ends, comments behind it left out. */
function lastOffset(pair: { readonly key: unknown; readonly value: unknown } | undefined): number | undefined {
  const { value } = pair ?? {};
  if (isMap(value) && !value.flow && value.items.length > 0) return lastOffset(value.items.at(-1));
  const range = typeof value === "object" && value !== null && "range" in value ? value.range : undefined;
  return Array.isArray(range) && typeof range[1] === "number" ? range[1] : undefined;
}

function plain(document: Document): unknown {
  return document.toJS() ?? {};
}

function saysExactly(text: string, wanted: unknown): boolean {
  const document = parseDocument(text);
  return document.errors.length === 0 && JSON.stringify(plain(document)) === JSON.stringify(wanted);
}

function dataWith(data: unknown, { path, value }: YamlEdit): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const { [key]: inner, ...others } = isRecord(data) ? data : {};
  if (rest.length === 0 && value === undefined) return others;
  const changed = dataWith(inner, { path: rest, value });
  // A key that is there keeps its place.
  return isRecord(data) && key in data
    ? Object.fromEntries(Object.entries(data).map(([name, each]) => [name, name === key ? changed : each]))
    : { ...others, [key]: changed };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
