import type { Finding } from "../core/findings/finding.ts";
import { suggest } from "../core/findings/suggest.ts";

/** A name that is in neither the stack nor its environment file, D112. */
export function unknownSecret(name: string, known: readonly string[]): Finding {
  const near = suggest(name, known);
  const all = [...new Set(known)].join(", ");
  const fix = near === undefined ? `those of this stack are ${all}` : `did you mean ${near}?`;
  // Somebody may have written the value in the place of the name.
  const shown = near !== undefined || /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/.test(name) ? name : "what was named";
  return { code: "D112", severity: "error", message: `${shown} is no secret or variable of this stack`, fix };
}
