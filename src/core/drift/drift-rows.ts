import type { Difference } from "./drift.ts";

/** A comparison of one value: nothing to say where none is wanted or both are the same. */
export function row(what: string, wanted: string | undefined, found: string): Difference[] {
  if (wanted === undefined || wanted === found) return [];
  if (found === "") return [{ what, change: "added" }];
  if (wanted === "") return [{ what, change: "removed" }];
  return [{ what, change: "changed", from: found, to: wanted }];
}

/** The same of a value that may hold a secret: that it differs, and not how. */
export function secretRow(what: string, wanted: string | undefined, found: string): Difference[] {
  return row(what, wanted, found).map(({ what, change }) => ({ what, change }));
}

/** A comparison of lists without order: what has to come and what has to go, by its own text. */
export function listRows(what: string, wanted: readonly string[], found: readonly string[]): Difference[] {
  const added = wanted.filter((each) => !found.includes(each));
  const removed = found.filter((each) => !wanted.includes(each));
  const named = (each: string, change: Difference["change"]) => ({ what: `${what} ${each}`, change });
  return [...new Set(added)]
    .map((each) => named(each, "added"))
    .concat([...new Set(removed)].map((each) => named(each, "removed")));
}

/** Compares maps by their keys: `isOwn` says which keys of the container nobody but the service can have given it. */
export function mapRows(
  what: string,
  wanted: Readonly<Record<string, string>>,
  found: Readonly<Record<string, string>>,
  isOwn: (key: string) => boolean,
): Difference[] {
  const rows = Object.keys(wanted).flatMap((key): Difference[] => {
    if (!(key in found)) return [{ what: `${what} ${key}`, change: "added" }];
    return found[key] === wanted[key] ? [] : [{ what: `${what} ${key}`, change: "changed" }];
  });
  const removed = Object.keys(found).filter((key) => !(key in wanted) && isOwn(key));
  return [...rows, ...removed.map((key): Difference => ({ what: `${what} ${key}`, change: "removed" }))];
}

/** A map as one text, whatever the order of its keys. */
export function sortedText(map: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? "" : JSON.stringify(entries);
}
