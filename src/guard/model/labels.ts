import type { Policy } from "../policy/policy.ts";
import type { JsonObject, JsonValue } from "../request/json.ts";
import { quoted } from "../request/reading.ts";
import type { BodyDraft } from "./body-draft.ts";
import { readMembers, readText } from "./typed-value.ts";

/** The label that every container made through a guard has; its value is the policy's owner. */
export const ownerLabel = "sandbox-deploy.guard";

/**
 * Labels that programs on the same engine act on, most of them with its whole power: they start, stop and replace
 * containers, run commands in them, send them the public's requests, or take them for their own. No policy allows them.
 */
const foreign: readonly RegExp[] = [
  /^sandbox-deploy\.guard(?:$|\.)/,
  // Docker's own, Compose's and Swarm's among them.
  /^(?:com|io|org)\.docker\./,
  /^(?:com\.centurylinklabs\.watchtower|wud|diun|io\.containers|io\.podman|io\.portainer|io\.rancher)(?:$|\.)/,
  // Run commands on a schedule, or before and after a copy.
  /^(?:ofelia|chadburn|deck-chores|swarm\.cronjob|docker-volume-backup|com\.nextcloud)(?:$|[.-])/,
  // Route requests.
  /^(?:traefik|caddy|com\.github\.nginx-proxy|com\.github\.jrcs|haproxy|sozu|kong|swag)(?:$|[._])/,
  /^(?:autoheal|autokuma|kuma|dockerflare|tsdproxy|com\.datadoghq\.ad|co\.elastic|prometheus|logging)(?:$|[._])/,
  /^(?:io\.kubernetes|k8s|nomad|com\.hashicorp)(?:$|[./])/,
];

/** Whether other programs act on a label of this name. */
export function isForeignLabel(name: string): boolean {
  return foreign.some((pattern) => pattern.test(name.toLowerCase()));
}

/** What `Labels` becomes: those that the policy lets a client set, and the owner's. */
export function readLabels(draft: BodyDraft, value: JsonValue | undefined, policy: Policy): JsonObject {
  const labels = new Map<string, JsonValue>();
  for (const [name, given] of readMembers(draft, "Labels", value)) {
    const at = `Labels[${quoted(name)}]`;
    if (isForeignLabel(name)) {
      const what = `the label ${quoted(name)} means something to another program on this engine`;
      draft.refuse({ rule: "label.foreign", field: at, what });
    } else if (name.length > 255 || !policy.labels.some((pattern) => pattern.test(name))) {
      const what = `the policy does not allow the label ${quoted(name)}`;
      draft.refuse({ rule: "label.not-allowed", field: at, what });
    }
    labels.set(name, readText(draft, at, given) ?? "");
  }
  labels.set(ownerLabel, policy.owner);
  return labels;
}
