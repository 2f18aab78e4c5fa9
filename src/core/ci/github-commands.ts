import { type Finding, formatFinding, type Severity } from "../findings/finding.ts";
import { relativePath, resolvePath } from "../stack/stack.ts";

/** What of GitHub's runner is told by a line of the log. */
export type GithubCommand = "group" | "endgroup" | "stop-commands" | "error" | "warning" | "notice";

/** A line that the runner obeys: whatever is in the values, it stays this one line, this command and these properties. */
export function githubCommand(
  name: GithubCommand,
  properties: Readonly<Record<string, string | undefined>> = {},
  text = "",
): string {
  const given = Object.entries(properties).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${escapedText(value).replaceAll(":", "%3A").replaceAll(",", "%2C")}`],
  );
  return `::${[name, given.join(",")].filter((part) => part !== "").join(" ")}::${escapedText(text)}`;
}

function escapedText(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

const levels = { error: "error", warning: "warning", info: "notice" } as const satisfies Record<
  Severity,
  GithubCommand
>;

/** A finding at its place in the repository, with everything that stands in a log for it. */
export function annotation(
  finding: Finding,
  folders: { readonly cwd: string; readonly workspace: string | undefined },
): string {
  const { at, code, severity } = finding;
  const numbered = (value: number | undefined) => (value === undefined ? undefined : String(value));
  const place = at && {
    file: relativePath(folders.workspace || folders.cwd, resolvePath(folders.cwd, "/", at.file)),
    line: numbered(at.line),
    col: at.line === undefined ? undefined : numbered(at.column),
  };
  // The runner copies the text into the log, where a viewer folds lines of the older form.
  return githubCommand(levels[severity], { ...place, title: code }, harmlessForGithub(formatFinding(finding)));
}

/** Blanks as the runner counts them, and colours, which a viewer takes away. */
const blank = "(?:[^\\S\\r\\n]|\\u0085|\\u001b\\[[0-9;]*m)";

/**
 * Text from somewhere else as the runner may see it. It obeys lines that begin with two colons, blanks aside, and the older
 * `##[` anywhere in a line: the first character of each stands there as its number.
 */
export function harmlessForGithub(text: string): string {
  return text
    .replace(new RegExp(`^(${blank}*)::`, "gm"), (_whole, before: string) => `${before}\\x3a:`)
    .replaceAll("##[", "\\x23#[");
}

/** The same for JSON, which means the same afterwards. Its lines begin with nothing that the runner obeys. */
export function harmlessJson(json: string): string {
  return json.replaceAll("##[", "\\u0023#[");
}

/** The same for text that comes in pieces: whole lines go on, as the runner reads them; `flush` passes the rest on. */
export function createHarmlessStream(sink: (text: string) => void): {
  readonly write: (chunk: string) => void;
  readonly flush: () => void;
} {
  let waiting = "";
  return {
    write(chunk) {
      const text = waiting + chunk;
      const end = text.lastIndexOf("\n") + 1;
      waiting = text.slice(end);
      if (end > 0) sink(harmlessForGithub(text.slice(0, end)));
    },
    flush() {
      if (waiting !== "") sink(harmlessForGithub(waiting));
      waiting = "";
    },
  };
}
