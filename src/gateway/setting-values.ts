import { messageOf } from "./provider.ts";

/** Reads a text file; throws when it cannot be read. */
export type ReadText = (path: string) => string;

/** Reads settings one by one and collects what is wrong, so that everything is reported together. */
export interface SettingReader {
  readonly problems: readonly string[];
  readonly report: (problem: string) => void;
  readonly text: (name: string, fallback: string) => string;
  readonly integer: (name: string, fallback: number, min: number, max: number) => number;
  readonly decimal: (name: string, fallback: number, min: number, max: number) => number;
  /** A size as Docker writes it (`512m`, `1g`, plain bytes), in bytes. */
  readonly size: (name: string, fallback: string, minBytes: number) => number;
  readonly matching: (name: string, fallback: string, pattern: RegExp, expected: string) => string;
  readonly file: (path: string, what: string) => string | undefined;
  /** The content of the file that a variable names: one line of printable ASCII, never empty. */
  readonly secretFile: (name: string) => string | undefined;
}

const sizeUnits = new Map([
  ["", 1],
  ["b", 1],
  ["k", 1024],
  ["m", 1024 ** 2],
  ["g", 1024 ** 3],
]);

/** A reader over an environment; an empty variable counts as not set, as Compose's `${X:-}` leaves it. */
export function createSettingReader(
  env: Readonly<Record<string, string | undefined>>,
  readText: ReadText,
): SettingReader {
  const problems: string[] = [];
  const report = (problem: string): void => {
    problems.push(problem);
  };
  const text = (name: string, fallback: string): string => env[name]?.trim() || fallback;
  const number = (name: string, fallback: number, min: number, max: number, pattern: RegExp, kind: string): number => {
    const raw = text(name, String(fallback));
    const value = Number(raw);
    if (pattern.test(raw) && value >= min && value <= max) return value;
    report(`${name} must be ${kind} from ${min} to ${max}`);
    return fallback;
  };
  const file = (path: string, what: string): string | undefined => {
    try {
      return readText(path);
    } catch (error) {
      report(`${what}: ${path} cannot be read (${messageOf(error)})`);
      return undefined;
    }
  };
  return {
    problems,
    report,
    text,
    file,
    integer: (name, fallback, min, max) => number(name, fallback, min, max, /^\d+$/, "a whole number"),
    decimal: (name, fallback, min, max) => number(name, fallback, min, max, /^\d+(\.\d+)?$/, "a number"),
    size(name, fallback, minBytes) {
      const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)([bkmg]?)$/i.exec(text(name, fallback)) ?? [];
      const bytes = Math.floor(Number(digits) * (sizeUnits.get(unit.toLowerCase()) ?? 1));
      if (digits !== "" && bytes >= minBytes && Number.isSafeInteger(bytes)) return bytes;
      report(`${name} must be a size such as 512m or 1g, at least ${minBytes} bytes`);
      return minBytes;
    },
    matching(name, fallback, pattern, expected) {
      const value = text(name, fallback);
      if (!pattern.test(value))
        report(value === "" ? `${name} is not set: ${expected}` : `${name} is wrong: ${expected}`);
      return value;
    },
    secretFile(name) {
      const path = text(name, "");
      if (path === "") {
        report(`${name} is not set: it names the file that holds the secret`);
        return undefined;
      }
      const secret = file(path, name)?.trim();
      if (secret === undefined) return undefined;
      if (secret === "") report(`${name}: ${path} is empty; write a generated secret into it`);
      else if (!/^[\x21-\x7e]+$/.test(secret))
        report(`${name}: ${path} must hold one line of printable ASCII without spaces`);
      return secret;
    },
  };
}
