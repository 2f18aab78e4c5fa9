import { type Document, parseAllDocuments } from "yaml";
import { type Finding, failure, type Outcome, type Position, success } from "../findings/finding.ts";
import { positionAt, type Source } from "../findings/source.ts";
import { placeOf } from "../findings/yaml-place.ts";
import { issueFindings } from "./config-issues.ts";
import { configSchema, type DeployConfig } from "./config-schema.ts";

export type { DeployConfig } from "./config-schema.ts";

/** A read configuration that still knows where each value was written. */
export interface ConfigFile {
  readonly config: DeployConfig;
  /** The place of a key, or of the nearest enclosing one that was written. */
  positionOf(path: readonly PropertyKey[]): Position;
}

/** Parses deploy.config.yaml; on failure every problem is listed with its place and a fix. */
export function parseConfig(source: Source): Outcome<ConfigFile> {
  if (source.text.length > longestConfig) return failure(tooLong(source));
  const documents = parseAllDocuments(source.text, { prettyErrors: false });
  const document = "empty" in documents ? undefined : documents[0];
  const syntax = documents.flatMap((each) =>
    [...each.errors, ...each.warnings].map((error) => yamlFinding(source, error)),
  );
  if (documents.length > 1) syntax.push(secondDocument(source, documents[1]));
  if (syntax.length > 0) return failure(...syntax);
  const keyAt = (path: readonly PropertyKey[]) => positionOf(source, placeOf(document, path)?.key);
  const valueAt = (path: readonly PropertyKey[]) => positionOf(source, placeOf(document, path)?.value);
  // Issues carry what was written only on request: it tells a wrong value from a missing one.
  const value = plainValue(document);
  if (value === unresolved) return failure(unresolvedAlias(source));
  const parsed = configSchema.safeParse(value ?? {}, { reportInput: true });
  if (parsed.success) return success({ config: parsed.data, positionOf: keyAt });
  const findings = parsed.error.issues.flatMap((issue) => issueFindings(issue, { keyAt, valueAt }));
  return failure(...findings.toSorted((left, right) => (left.at?.line ?? 0) - (right.at?.line ?? 0)));
}

const unresolved = Symbol("an alias that leads nowhere, or to too much");

/** A configuration of this size needs few aliases: more are a file that unfolds until memory ends. */
const aliasLimit = 1000;

function plainValue(document: Document.Parsed | undefined): unknown {
  try {
    return document?.toJS({ maxAliasCount: aliasLimit });
  } catch (error) {
    if (error instanceof ReferenceError) return unresolved;
    throw error;
  }
}

function unresolvedAlias(source: Source): Finding {
  const offset = /(^|[\s[{,])\*[^\s,\]}]/.exec(source.text)?.index ?? 0;
  return {
    code: "D010",
    severity: "error",
    message: "this file has an alias (*name) without its anchor (&name), or far too many of them",
    fix: "write the value out where the alias stands",
    at: positionAt(source, offset === 0 ? 0 : offset + 1),
  };
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

/** Characters: more than anybody writes, and less than what exhausts what reads it. */
const longestConfig = 1024 * 1024;

function tooLong({ file, text }: Source): Finding {
  return {
    code: "D010",
    severity: "error",
    message: `this file has ${text.length} characters, which no configuration of this tool has`,
    fix: "look what is in it; --config names another file",
    at: { file },
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

/** A key that nobody wrote has a file and no line. */
function positionOf(source: Source, offset: number | undefined): Position {
  return offset === undefined ? { file: source.file } : positionAt(source, offset);
}
