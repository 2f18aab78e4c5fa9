import { type BodyDecision, deny } from "./body-decision.ts";
import type { JsonObject } from "./json.ts";
import type { Policy } from "./policy.ts";

/** What the body of `POST /containers/{id}/exec` becomes; the route itself is off unless the policy switches it on. */
export function decideExec(_body: JsonObject, _policy: Policy): BodyDecision {
  return deny("exec.unread", "the body is not read yet");
}
