import type { Policy } from "../policy/policy.ts";
import { type Call, forward } from "../request/call.ts";
import { imageFilter, pullParameters, visibleImage } from "./allowed-images.ts";
import type { Decision, Facts } from "./decision.ts";

/** `GET /images/json`: the images of the policy, and no others. */
export function decideImageList(call: Call, policy: Policy): Decision {
  const filters = imageFilter(call.query.filters, policy);
  // Without a reference the engine would not filter at all.
  if (filters.get("reference")?.length === 0) return { kind: "answer", rule: call.route.name, body: [], notes: {} };
  return forward(call, {}, { query: { ...call.query, filters } });
}

/** `GET /images/{name}/json`: by the id that the name means now. */
export function decideImage(call: Call, policy: Policy, facts: Facts): Decision {
  const id = visibleImage(call.reference, policy, facts);
  if (id.kind !== "read") return id;
  return forward(call, { image: call.reference }, { id: id.value });
}

/** `POST /images/create`, as far as it pulls an image that the policy names. */
export function decidePull(call: Call, policy: Policy): Decision {
  const pull = pullParameters(call.query.parameters, policy);
  if (pull.kind !== "read") return pull;
  const { image, parameters } = pull.value;
  return forward(call, { image }, { query: { ...call.query, parameters } });
}
