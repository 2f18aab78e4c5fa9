import type { JsonValue } from "../request/json.ts";
import { quoted } from "../request/reading.ts";
import type { BodyDraft } from "./body-draft.ts";
import { kebab } from "./field-rules.ts";
import { isUsualNetwork } from "./host-config.ts";
import { isZero, readMembers } from "./typed-value.ts";

/**
 * Everything that an endpoint has had in the Engine API from 1.24 on. A sandbox gets none of it: names and links make
 * other containers take it for somebody else, and addresses and options are the network's to give.
 */
export const endpointFields: readonly string[] = [
  "Aliases",
  "DNSNames",
  "DriverOpts",
  "EndpointID",
  "Gateway",
  "GlobalIPv6Address",
  "GlobalIPv6PrefixLen",
  "GwPriority",
  "IPAddress",
  "IPAMConfig",
  "IPPrefixLen",
  "IPv6Gateway",
  "Links",
  "MacAddress",
  "NetworkID",
];

/** Reads `NetworkingConfig`. Nothing of it is sent: the network follows from `NetworkMode`. */
export function readNetworkingConfig(draft: BodyDraft, value: JsonValue | undefined): undefined {
  for (const [name, member] of readMembers(draft, "NetworkingConfig", value)) {
    const field = `NetworkingConfig.${name.slice(0, 60)}`;
    if (name === "EndpointsConfig") readEndpoints(draft, member);
    // docker-py puts the network's name here, where the engine does not look for it.
    else if (name !== draft.policy.network || !isZero(member)) {
      const what = `NetworkingConfig.${quoted(name)} is not a field that this guard knows`;
      draft.refuse({ rule: "networking-config.unknown-field", field, what, status: 400 });
    }
  }
}

function readEndpoints(draft: BodyDraft, value: JsonValue): void {
  const field = "NetworkingConfig.EndpointsConfig";
  const { network } = draft.policy;
  for (const [name, endpoint] of readMembers(draft, field, value)) {
    if (name !== network && name !== "none" && !isUsualNetwork(name)) {
      const what = `${field}: ${quoted(name)} is not the policy's network, which is ${network}`;
      draft.refuse({ rule: "networking-config.network", field, what });
    }
    for (const [key, member] of readMembers(draft, `${field}[${quoted(name)}]`, endpoint)) {
      const at = `${field}[${quoted(name)}].${key.slice(0, 60)}`;
      if (!endpointFields.includes(key)) {
        const what = `${field}: ${quoted(key)} is not a field that this guard knows`;
        draft.refuse({ rule: "networking-config.unknown-field", field: at, what, status: 400 });
      } else if (!isZero(member)) {
        const what = `${at}: names, links and addresses on the network are not for clients`;
        draft.refuse({ rule: `networking-config.${kebab(key)}`, field: at, what });
      }
    }
  }
}
