import type { Finding } from "../findings/finding.ts";

/** What the last deployment from here says of its secrets. */
export interface RememberedSecrets {
  /** Names of those that had a value. */
  readonly names: readonly string[];
  /** Its record in the history; undefined where there is none, or the stack was taken down since. */
  readonly deployment: string | undefined;
}

/**
 * Warns of secrets that had a value at the last deployment and have none any more (D118): to generate one, as for a stack that
 * never ran, would lock out everybody who has the old one. `file` is the environment file as people read it.
 */
export function lostSecretFindings(missing: readonly string[], last: RememberedSecrets, file: string): Finding[] {
  const lost = missing.filter((name) => last.names.includes(name));
  if (lost.length === 0) return [];
  const [value, it] = lost.length === 1 ? ["the value", "it"] : ["the values", "them"];
  const copies = last.deployment === undefined ? ".deploy/history" : `.deploy/history/${last.deployment}/files`;
  return [
    {
      code: "D118",
      severity: "warning",
      message: `${file} has lost ${value} of ${lost.join(", ")}, which the last deployment had: up would generate another`,
      fix: `put ${it} back unless that is meant: a copy of the file as it was is in ${copies}`,
    },
  ];
}
