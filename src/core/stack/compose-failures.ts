import { parseAllDocuments } from "yaml";
import { parseEnvFile } from "../env/env-file.ts";
import type { Finding, Position } from "../findings/finding.ts";
import { positionAt, type Source } from "../findings/source.ts";
import { placeOf } from "../findings/yaml-place.ts";
import { dockerFailure, type Failure } from "./docker-failures.ts";

const unreadableFile = /failed to read (\S[^\n]*?): (?:line (\d+): )?/;

/** The environment file of a service that Compose could not read, to be read for its place; undefined when that is not the cause. */
export function unreadableEnvFile(stderr: string): string | undefined {
  return unreadableFile.exec(stderr)?.[1];
}

/**
 * Explains why Compose refused the merged files, with the place where it is known. `sources` are the merged files and, if
 * there is one, the file that `unreadableEnvFile` names: Compose's own words about that one quote values, so they are not used.
 */
export function composeFailure(failure: Failure, sources: readonly Source[]): Finding {
  const docker = dockerFailure(failure);
  if (docker) return docker;
  const lines = failure.stderr
    .trim()
    .split("\n")
    .filter((line) => !/level=(warning|info)/.test(line));
  const message = lines.join(" ").trim();
  return (
    envFileFailure(message, sources) ??
    missingVariable(message, sources) ??
    yamlFailure(message, sources) ??
    missingFile(message, sources) ?? {
      code: "D032",
      severity: "error",
      message: `Docker Compose refuses the merged files: ${message || `it ended with ${failure.exitCode} and no message`}`,
      fix: "correct the Compose files or the environment file; `./deploy config` shows the merged model once they load",
      ...placed(refusedPlace(message, lines.at(-1) ?? "", sources)),
    }
  );
}

function placed(at: Position | undefined): { at?: Position } {
  return at === undefined ? {} : { at };
}

function envFileFailure(message: string, sources: readonly Source[]): Finding | undefined {
  const [, file, line] = unreadableFile.exec(message) ?? [];
  if (file === undefined) return undefined;
  const source = sources.find((each) => each.file === file);
  const parsed = source && parseEnvFile(source, new Map());
  const [own] = parsed && !parsed.ok ? parsed.findings : [];
  return (
    own ?? {
      code: "D030",
      severity: "error",
      message: "an environment file that a service names in env_file cannot be parsed",
      fix: "write one KEY=value per line, and close every quote and every ${",
      at: { file, ...(line === undefined ? {} : { line: Number(line) }) },
    }
  );
}

function missingVariable(message: string, sources: readonly Source[]): Finding | undefined {
  const [, name, hint] = /required variable (\w+) is missing a value(?:: (.*))?/.exec(message) ?? [];
  if (name === undefined) return undefined;
  return {
    code: "D031",
    severity: "error",
    message: `the Compose files need the variable ${name}, which is not set${hint ? `: ${hint}` : ""}`,
    fix: `add ${name}=… to the environment file, or export it`,
    ...placed(firstPlace(sources, new RegExp(`^([^#\\n]*?)\\$\\{${name}:?\\?`, "m"))),
  };
}

/** Where a pattern first matches, behind its first group. */
function firstPlace(sources: readonly Source[], pattern: RegExp): Position | undefined {
  for (const source of sources) {
    const match = pattern.exec(source.text);
    if (match) return positionAt(source, match.index + (match[1]?.length ?? 0));
  }
  return undefined;
}

/** Compose names neither the file nor always the right line, so the files are parsed once more. */
function yamlFailure(message: string, sources: readonly Source[]): Finding | undefined {
  const [, file, line, reason] =
    /(?:parsing|failed to parse) (\S+\.ya?ml): (?:yaml: )?(?:line (\d+): )?(.*)/.exec(message) ??
    /(?:(\S+\.ya?ml): )?(?<![\w.])yaml: (?:line (\d+): )?(.*)/.exec(message) ??
    [];
  if (reason === undefined) return undefined;
  const [broken] = sources.flatMap(syntaxError);
  const named = sources.find((each) => each.file === file) ?? (sources.length === 1 ? sources[0] : undefined);
  return {
    code: "D010",
    severity: "error",
    message: `this is not valid YAML: ${broken?.message ?? reason}`,
    fix: "check the indentation (spaces, no tabs) and the quotes on this line and the one before",
    ...placed(broken?.at ?? lineOf(named, file, line)),
  };
}

function syntaxError(source: Source): { message: string; at: Position }[] {
  const documents = parseAllDocuments(source.text, { prettyErrors: false });
  return documents
    .flatMap(({ errors }) => errors)
    .map(({ message, pos }) => ({ message, at: positionAt(source, pos[0]) }))
    .slice(0, 1);
}

function lineOf(source: Source | undefined, file: string | undefined, line: string | undefined): Position | undefined {
  const name = source?.file ?? file;
  if (name === undefined) return undefined;
  if (line === undefined) return { file: name };
  const text = source?.text.split(/\r?\n/)[Number(line) - 1];
  return { file: name, line: Number(line), column: 1, ...(text === undefined ? {} : { text }) };
}

function missingFile(message: string, sources: readonly Source[]): Finding | undefined {
  const [, file] =
    /(?:env file (.+?) not found|(?:open|stat) ([^:]+): no such file or directory)/.exec(message)?.filter(Boolean) ??
    [];
  if (file === undefined) return undefined;
  const name = file.split("/").at(-1) ?? file;
  return {
    code: "D014",
    severity: "error",
    message: `the Compose files name ${file}, which does not exist`,
    fix: "create it, or correct its path: paths in Compose files start at the folder of the first of them",
    ...placed(firstPlace(sources, new RegExp(`^([^#\\n]*?)${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`, "m"))),
  };
}

/** Where the key stands that Compose's schema refuses, or the text that it cannot interpolate. */
function refusedPlace(message: string, lastLine: string, sources: readonly Source[]): Position | undefined {
  const [, file, path = "", key] =
    /validating (\S+): ([\w.-]+)(?: additional properties? '([^']+)' not allowed)?/.exec(message) ?? [];
  const source = sources.find((each) => each.file === file);
  if (source) {
    const place = placeOf(parseAllDocuments(source.text)[0], [...path.split("."), ...(key ? [key] : [])]);
    return place ? positionAt(source, place.key) : { file: source.file };
  }
  if (!message.includes("invalid interpolation format")) return undefined;
  const holder = sources.find(({ text }) => text.includes(lastLine));
  return holder && positionAt(holder, holder.text.indexOf(lastLine));
}
