import { isMap, isScalar, isSeq, parseDocument } from "yaml";
import { interpolate, type Resolve } from "../env/env-expand.ts";
import type { Position } from "../findings/finding.ts";
import { positionAt, type Source } from "../findings/source.ts";
import { folderOf, joinPath } from "./stack.ts";

/** Names of the variables that a Compose text refers to; those in a comment count as well. */
export function referencedVariables(text: string): Set<string> {
  return new Set([...text.matchAll(/\$(?:\$|\{?([A-Za-z_]\w*))/g)].flatMap(([, name]) => name ?? []));
}

/** The value that a Compose file gives to a variable which has none, and where. */
export interface ComposeDefault {
  readonly name: string;
  readonly value: string;
  /** Without the text of the line: the value stands in it. */
  readonly at: Position;
}

/** Every `${NAME:-default}` and `${NAME-default}` whose default is plain text and not empty. */
export function composeDefaults(source: Source): ComposeDefault[] {
  const found = source.text.matchAll(/(?<!\$)(?:\$\$)*(\$\{([A-Za-z_]\w*):?-([^{}$\n]+)\})/g);
  return [...found].map((match) => {
    const [whole, reference = "", name = "", value = ""] = match;
    const { text: _, ...at } = positionAt(source, match.index + whole.length - reference.length);
    return { name, value, at };
  });
}

/** Whether a Compose file takes in others, whose variables are then not known from the files alone. */
export function takesInOthers({ text }: Source): boolean {
  return /^\s*(?:include|extends)\s*:/m.test(text);
}

/** One file that a service takes its environment from. */
export interface ServiceEnvFile {
  readonly service: string;
  /** Absolute. */
  readonly path: string;
}

/**
 * The `env_file` of every service in a Compose text. Paths start at the folder of the first Compose file, and variables in
 * them are filled in. A text that cannot be parsed has none: Compose itself tells what is wrong with it.
 */
export function serviceEnvFiles({ text }: Source, firstFile: string, resolve: Resolve): ServiceEnvFile[] {
  if (!text.includes("env_file")) return [];
  const document = parseDocument(text, { prettyErrors: false, logLevel: "silent", merge: true });
  const services = document.get("services", true);
  if (!isMap(services)) return [];
  return services.items.flatMap(({ key, value }) => {
    const node = isMap(value) ? value.get("env_file", true) : undefined;
    const written = isSeq(node) ? node.items.map(pathIn) : [pathIn(node)];
    return written.flatMap((path) => {
      const filled = path === undefined ? undefined : interpolate(path, resolve);
      if (filled === undefined || !filled.ok || !isScalar(key)) return [];
      const { value } = filled;
      return [
        {
          service: String(key.value),
          path: value.startsWith("/") ? joinPath("/", value) : joinPath(folderOf(firstFile), value),
        },
      ];
    });
  });
}

/** Written as text, or as a map with a `path`. */
function pathIn(node: unknown): string | undefined {
  const written = isMap(node) ? node.get("path", true) : node;
  return isScalar(written) && typeof written.value === "string" ? written.value : undefined;
}
