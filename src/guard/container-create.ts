import { type BodyDecision, deny } from "./body-decision.ts";
import type { Facts } from "./decision.ts";
import type { JsonObject } from "./json.ts";
import type { Policy } from "./policy.ts";

/** What `POST /containers/create` becomes: a body built from the model, with the policy's limits and labels in it. */
export function decideCreate(
  name: string | undefined,
  _body: JsonObject,
  _policy: Policy,
  _facts: Facts,
): BodyDecision {
  return deny("create.unread", `the container ${name ?? "without a name"} is not read yet`);
}
