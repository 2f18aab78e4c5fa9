import type { LineReader } from "./build-lines.ts";

/** Reads what `docker compose --progress plain up` prints: ` Container demo-store-1  Starting`, and so for networks and volumes. */
export function readStartLines(): LineReader {
  return (line) => {
    const [, kind = "", name, what = ""] = /^ *(Container|Network|Volume) +(\S+) +([A-Z].*?) *$/.exec(line) ?? [];
    if (name === undefined) return undefined;
    const before = kind === "Container" ? "" : `${kind.toLowerCase()} `;
    return `${before}${name.replaceAll('"', "")}: ${what.toLowerCase()}`;
  };
}
