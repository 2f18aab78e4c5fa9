import type { EnvScanFailure, EnvStatement } from "./env-scan.ts";
import type { Finding, Position } from "./finding.ts";
import type { Source } from "./source.ts";

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

function finding(at: Position, message: string, fix: string): Finding {
  return { code: "D030", severity: "error", message: `the environment file cannot be parsed: ${message}`, fix, at };
}

/** A position without the text of the line. Compose ends a line at a line feed only. */
function secretPosition(source: Source, offset: number): Position {
  const before = source.text.slice(0, offset).replace(/^\uFEFF/, "");
  const lines = before.split("\n");
  return { file: source.file, line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
}
