import { ownerLabel } from "../model/labels.ts";
import type { Policy } from "../policy/policy.ts";
import { readVersion } from "../request/api-version.ts";
import { type Call, forward } from "../request/call.ts";
import { readContent } from "../request/content.ts";
import { requiring } from "../request/filters.ts";
import { type Frame, readFrame } from "../request/framing.ts";
import type { Query } from "../request/query.ts";
import { absent, malformed } from "../request/reading.ts";
import { findRoute, type Match, type Route } from "../request/routes.ts";
import { readTarget, type Target } from "../request/target.ts";
import { deny } from "./body-decision.ts";
import { decideContainer, decideContainerCreate, decideExecCall } from "./container-call.ts";
import type { ClientRequest, Decision, Facts, Refusal } from "./decision.ts";
import { engineInfo } from "./engine-info.ts";
import { decideImage, decideImageList, decidePull } from "./image-call.ts";

/**
 * Decides about one request of a client. What may go on is built anew from what was understood; what was not understood
 * is refused. While a fact is missing the answer is a question: whoever asks finds it out and asks again.
 */
export function decide(request: ClientRequest, policy: Policy, facts: Facts): Decision {
  const frame = readFrame(request);
  if (frame.kind !== "read") return frame;
  const target = readTarget(request.target);
  if (target.kind !== "read") return target;
  const match = findRoute(frame.value.method, target.value.path);
  if (match.kind !== "read") return match;
  const decision = decideRoute(request.body, frame.value, target.value, match.value, policy, facts);
  if (decision.kind === "ask") return decision;
  return { ...decision, notes: { route: match.value.route.name, ...decision.notes } };
}

function decideRoute(
  body: Uint8Array,
  frame: Frame,
  target: Target,
  { route, reference }: Match,
  policy: Policy,
  facts: Facts,
): Decision {
  const off = judgeGroup(route, policy) ?? judgeUpgrade(route, frame);
  if (off !== undefined) return off;
  const version = readVersion(target.version, facts.engine.apiVersion);
  if (version.kind !== "read") return version;
  const content = readContent(route, frame, target, body);
  if (content.kind !== "read") return content;
  return decideCall({ frame, route, reference, version: version.value, ...content.value }, policy, facts);
}

function judgeGroup({ group }: Route, policy: Policy): Refusal | undefined {
  if (group === undefined || policy.operations[group]) return undefined;
  return deny(`route.${group}-off`, `${group} is switched off in the policy (operations.${group})`);
}

function judgeUpgrade(route: Route, { upgrade }: Frame): Refusal | undefined {
  if (!upgrade || route.stream === "raw") return undefined;
  return malformed("framing.upgrade", `${route.name} is no raw connection`);
}

/** Holds what was understood against the policy and the facts. */
function decideCall(call: Call, policy: Policy, facts: Facts): Decision {
  const { route, reference } = call;
  switch (route.about) {
    case "engine":
      return forward(call, {});
    case "info":
      return { kind: "answer", rule: route.name, body: engineInfo(), notes: {} };
    case "containers":
      return forward(call, {}, { query: ownOnly(call.query, policy) });
    case "create":
      return decideContainerCreate(call, policy, facts);
    case "container":
      return decideContainer(call, policy, facts);
    case "exec":
      return decideExecCall(call, policy, facts);
    case "images":
      return decideImageList(call, policy);
    case "image":
      return decideImage(call, policy, facts);
    case "pull":
      return decidePull(call, policy);
    case "events":
      return forward(call, {}, { query: ofContainers(ownOnly(call.query, policy)) });
    case "network":
      return absent("network.not-ours", `network ${reference} not found`);
    case "volume":
      return absent("volume.not-ours", `get ${reference}: no such volume`);
    case "plugin":
      return absent("plugin.not-ours", `plugin "${reference}" not found`);
  }
}

/** The engine lists what has all labels of a filter, so that one more can only take away. */
function ownOnly(query: Query, policy: Policy): Query {
  return { ...query, filters: requiring(query.filters, "label", `${ownerLabel}=${policy.owner}`) };
}

function ofContainers(query: Query): Query {
  return { ...query, filters: new Map([...query.filters, ["type", ["container"]]]) };
}
