import type { Finding, Position } from "../findings/finding.ts";
import type { Source } from "../findings/source.ts";
import { countingEntries, type EnvFile } from "./env-file.ts";
import type { EnvScanFailure, EnvStatement } from "./env-scan.ts";

/** Finding D030 for a text that the grammar refuses: the place and the fix, and nothing of the line. */
export function scanFinding(source: Source, { reason, offset, quoteBefore }: EnvScanFailure): Finding {
  const at = secretPosition(source, offset);
  const quoteLine = quoteBefore === undefined ? undefined : secretPosition(source, quoteBefore).line;
  const suspect = quoteLine === undefined ? "" : `; check the quotes of the value that begins on line ${quoteLine}`;
  switch (reason) {
    case "unterminated-quote":
      return finding(
        at,
        "a quoted value begins here and is never closed",
        "close the value with the quote it begins with, or write a backslash before a quote that belongs to the value",
      );
    case "bad-name":
      return finding(
        at,
        "a variable name holds a character that is not allowed",
        `write one KEY=value per line; only letters, digits, "_", ".", "-", "[" and "]" may stand before the "="${suspect}`,
      );
    case "space-in-name":
      return finding(at, "a variable name holds a space", `write one KEY=value per line${suspect}`);
    case "missing-name":
      return finding(at, '"export" is not followed by a variable', "write export KEY=value, or remove the line");
  }
}

/** Finding D030 for a value that Compose refuses to interpolate. */
export function interpolationFinding(
  source: Source,
  statement: EnvStatement,
  reason: "malformed" | "required",
): Finding {
  const at = secretPosition(source, statement.kind === "assign" ? statement.valueStart : statement.offset);
  switch (reason) {
    case "malformed":
      return finding(
        at,
        'the value holds a "${" that begins no variable',
        'put the value in single quotes if its "$" is meant literally, or correct the ${NAME}',
      );
    case "required":
      return finding(
        at,
        "the value requires a variable that is not set, with ${NAME:?…}",
        "set that variable above this line or in the environment of the command",
      );
  }
}

/**
 * Warns of values that refer to what is not set (D034): Compose puts nothing there and goes on. The name that was meant may
 * be the rest of a password with a dollar sign in it, so only the key is named, and half a secret is an error: the
 * stack would run with it. An exported key hides the file's value.
 */
export function unsetFindings(
  file: string,
  envFile: EnvFile,
  exported: ReadonlyMap<string, string>,
  isSecret: (key: string) => boolean,
): Finding[] {
  return countingEntries(envFile)
    .filter(({ key, unset }) => unset.length > 0 && !exported.has(key))
    .map(({ key, line, column, bare, fileValue }) => ({
      code: "D034",
      severity: isSecret(key) && bare && fileValue !== "" ? "error" : "warning",
      message: `the value of ${key} refers with $ to a variable that is not set, so that Compose puts nothing there`,
      fix: "if the $ belongs to the value, put the value in single quotes; else set that variable above this line, or export it",
      at: { file, line, column },
    }));
}

function finding(at: Position, message: string, fix: string): Finding {
  return { code: "D030", severity: "error", message: `the environment file cannot be parsed: ${message}`, fix, at };
}

/** A position without the text of the line. Compose ends a line at a line feed only. */
function secretPosition(source: Source, offset: number): Position {
  const before = source.text.slice(0, offset).replace(/^\uFEFF/, "");
  const lines = before.split("\n");
  return { file: source.file, line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
}
