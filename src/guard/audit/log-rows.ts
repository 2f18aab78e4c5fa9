/** What shows audit lines as rows. */
export interface Rows {
  /** A line of the file; undefined where it makes no row, or not yet. */
  readonly row: (line: string) => string | undefined;
  /** What began and has not ended. */
  readonly open: () => readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Shows lines of the audit in columns. Beginning and end of an operation become one row, unless rows are wanted `atOnce`,
 * as for somebody who watches.
 */
export function startRows(deniedOnly: boolean, atOnce: boolean): Rows {
  const begun = new Map<string, Fields>();
  const wanted = (fields: Fields): boolean => !deniedOnly || fields["decision"] === "deny";
  return {
    row(line) {
      const fields = parse(line);
      if (fields === undefined) return line.trim() === "" || deniedOnly ? undefined : `? ${safe(line).slice(0, 200)}`;
      const id = String(fields["id"]);
      if (fields["event"] === "begin") {
        begun.set(id, fields);
        return atOnce && wanted(fields) ? show(fields, "began") : undefined;
      }
      const whole = { ...begun.get(id), ...fields };
      begun.delete(id);
      return wanted(whole) ? show(whole, fields["event"] === "end" && atOnce ? "ended" : "") : undefined;
    },
    open: () => [...begun.values()].filter(wanted).map((fields) => show(fields, "goes on")),
  };
}

function parse(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function show(fields: Fields, state: string): string {
  const { time, decision, event, status, rule, method, target, container, image, field, ms, message } = fields;
  const when = String(time).replace("T", " ").replace(/\.\d+/, "");
  const verb = event === "note" ? "note" : decision === "deny" ? "DENY" : "allow";
  const request = target === undefined ? "" : `${String(method)} ${shortTarget(String(target))}`;
  const details = [
    ...(decision === "deny"
      ? [message, field]
      : [container, image, ...listed(fields, "mounts"), ...listed(fields, "ports")]),
    changes(fields),
    state,
    typeof ms === "number" ? `${ms} ms` : undefined,
    decision === "deny" ? undefined : message,
  ].filter((each) => each !== undefined && each !== "");
  const columns = [when, verb.padEnd(5), String(status ?? "-").padEnd(3), String(rule).padEnd(24)];
  return safe([...columns, ...(request === "" ? [] : [request]), ...details].join("  ")).trimEnd();
}

/** Ids by their first digits, as Docker shows them, and no API version: it is never the reason. */
function shortTarget(target: string): string {
  return target.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, "$1").replace(/^\/v1\.\d+(?=\/)/, "");
}

function listed(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  return Array.isArray(value) ? value : [];
}

/** What a refused request would have been changed to interests nobody; the file has each change in full. */
function changes(fields: Fields): string | undefined {
  const { length } = listed(fields, "rewrites");
  return length === 0 || fields["decision"] === "deny" ? undefined : `${length} fields changed`;
}

/** The audit's own texts are printable; the file may have been written by others. */
function safe(text: string): string {
  return text.replace(/[^ -~]/g, "?");
}
