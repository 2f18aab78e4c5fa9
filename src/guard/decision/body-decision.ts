import type { JsonObject } from "../request/json.ts";
import type { AuditNotes, Refusal } from "./decision.ts";

/** What becomes of the body of a request: sent as a new object that was built from what was understood, or not at all. */
export type BodyDecision =
  | { readonly kind: "send"; readonly rule: string; readonly body: JsonObject; readonly notes: AuditNotes }
  | Refusal;

/** Whether something is within the policy. */
export type Verdict = { readonly kind: "pass"; readonly rule: string; readonly notes: AuditNotes } | Refusal;

/** A refusal in the guard's own words: the message names the rule. */
export function deny(rule: string, what: string, notes: AuditNotes = {}, status = 403): Refusal {
  return { kind: "deny", rule, status, message: `sandbox guard: ${what} (rule ${rule})`, notes };
}
