import { type ContainerDraft, startDraft } from "../model/body-draft.ts";
import { readUser } from "../model/config-fields.ts";
import { hostRules, readHostConfig } from "../model/host-config.ts";
import { ownerLabel } from "../model/labels.ts";
import type { Policy } from "../policy/policy.ts";
import { isArray, isNumber, isObject, type JsonObject, type JsonValue } from "../request/json.ts";
import { quoted } from "../request/reading.ts";
import { allowedImage } from "./allowed-images.ts";
import type { Verdict } from "./body-decision.ts";
import type { ContainerFact, Facts } from "./decision.ts";

/**
 * Whether a container that exists is still within the policy: asked before start, restart, exec, attach and archive.
 *
 * What the engine says of it is read by the same model as the body that made it, and has to come out unchanged: what
 * would be rewritten today is more than the policy allows. So a changed policy, a link where a directory was, a moved
 * tag and a network that somebody joined it to are all noticed, without a second set of rules.
 */
export function judgeAgain(container: ContainerFact, policy: Policy, facts: Facts): Verdict {
  const draft: ContainerDraft = { ...startDraft(policy, { container: container.name }), facts };
  if (container.labels[ownerLabel] !== policy.owner) {
    draft.refuse({ rule: "container.foreign", field: "Labels", what: "the container is not one of this guard" });
  }
  const config = membersOf(container.inspected, "Config");
  checkImageAgain(draft, container, config);
  readUser(draft, "User", config.get("User"));
  const host = membersOf(container.inspected, "HostConfig");
  if (host.size === 0) refuseUnreadable(draft, "HostConfig");
  checkFilled(draft, host);
  readHostConfig(draft, comparable(host, policy));
  checkNetworks(draft, container.inspected);
  const [rewrite] = draft.rewrites;
  if (rewrite !== undefined) {
    const field = rewrite.slice(0, Math.max(rewrite.indexOf(":"), 0));
    const why = "the policy changed since, somebody else changed the container, or the engine cannot enforce the limit";
    const what = `the container has more than the policy allows (${rewrite}): ${why}; it can be stopped and removed`;
    draft.refuse({ rule: "container.beyond-policy", field, what });
  }
  return draft.obstacle() ?? { kind: "pass", rule: "container.within-policy", notes: { container: container.name } };
}

function membersOf(object: JsonObject, name: string): JsonObject {
  const value = object.get(name);
  return isObject(value) ? value : new Map();
}

function refuseUnreadable(draft: ContainerDraft, field: string): void {
  draft.refuse({ rule: "container.unreadable", field, what: `the engine says nothing of the container's ${field}` });
}

function checkImageAgain(draft: ContainerDraft, container: ContainerFact, config: JsonObject): void {
  const reference = config.get("Image");
  const entry = typeof reference === "string" ? allowedImage(draft.policy, reference) : undefined;
  if (entry === undefined) {
    draft.refuse({
      rule: "image.not-allowed",
      field: "Image",
      what: "the policy does not allow the container's image",
    });
  } else if (draft.facts.pinnedImages.get(entry) !== container.imageId) {
    const what = `the container was made from another image than the ${quoted(entry)} that this guard saw first`;
    draft.refuse({ rule: "image.retagged", field: "Image", what });
  }
}

/** Lists that the engine fills in and that a client cannot set, each with an entry that has to be in it. */
const filledLists: Readonly<Record<string, string>> = { MaskedPaths: "/proc/kcore", ReadonlyPaths: "/proc/sys" };

/** The engine hides and write-protects paths of the kernel in every container, unless somebody asked it not to. */
function checkFilled(draft: ContainerDraft, host: JsonObject): void {
  for (const [name, entry] of Object.entries(filledLists)) {
    const list = host.get(name);
    if (isArray(list) && list.includes(entry)) continue;
    const field = `HostConfig.${name}`;
    draft.refuse({ rule: "container.unmasked", field, what: `${field} of the container lacks ${entry}` });
  }
}

/**
 * The engine's HostConfig without what the engine itself fills in: those two lists, the limits of its own configuration,
 * the name of its usual runtime, and fields that came after this model, none of which a client can have set.
 */
function comparable(host: JsonObject, policy: Policy): JsonObject {
  const filled = new Set([
    ...Object.keys(filledLists),
    "Ulimits",
    ...(policy.runtime === undefined ? ["Runtime"] : []),
  ]);
  const compared = new Map([...host].filter(([name]) => hostRules.has(name) && !filled.has(name)));
  const swap = host.get("MemorySwap");
  // What the engine writes where the kernel cannot limit swap; the limit of the memory itself holds all the same.
  if (isNumber(swap) && swap.digits === "-1") compared.set("MemorySwap", host.get("Memory") ?? null);
  return compared;
}

/** A container can be joined to further networks after it was made, by whoever has the engine's own socket. */
function checkNetworks(draft: ContainerDraft, inspected: JsonObject): void {
  const settings = inspected.get("NetworkSettings");
  const networks: JsonValue | undefined = isObject(settings) ? settings.get("Networks") : undefined;
  if (!isObject(networks)) {
    refuseUnreadable(draft, "NetworkSettings.Networks");
    return;
  }
  for (const name of networks.keys()) {
    if (name === draft.policy.network || name === "none") continue;
    const what = `the container is on the network ${quoted(name)}, which is not the policy's`;
    draft.refuse({ rule: "container.network", field: "NetworkSettings.Networks", what });
  }
}
