import { type ConsentName, consentNames, type Grant, type Privilege } from "./privilege.ts";

/** The namespaces that a container may share. */
export const namespaceNames = ["network", "pid", "ipc", "uts", "user", "cgroup"] as const;
/** One of the namespaces. */
export type NamespaceName = (typeof namespaceNames)[number];
/** `host`, `service NAME` or `container NAME`, once partners that share theirs are followed; one of its own has no entry. */
export type Namespaces = Readonly<Partial<Record<NamespaceName, string>>>;

/** Whoever is joined: its name in the words of a privilege, and how it came to its own namespace. */
export interface NamespacePartner {
  readonly name: string;
  readonly mode: string | undefined;
}

/** In whose namespace a mode such as `host`, `service:db` or `container:x` ends; undefined for one of its own. */
export function namespaceEnd(
  mode: string | undefined,
  partnerOf: (mode: string) => NamespacePartner,
  visited: readonly string[] = [],
): string | undefined {
  if (mode === "host") return "host";
  if (mode === undefined || !/^(service|container):/.test(mode) || visited.includes(mode)) return undefined;
  const partner = partnerOf(mode);
  return namespaceEnd(partner.mode, partnerOf, [...visited, mode]) ?? partner.name;
}

/**
 * Sharing the host's network is one consent; every other namespace of the host leads to its processes or its root. What a
 * container outside the project holds is not known, and may be the host's own: it counts as that.
 */
export function namespaceGrants(namespaces: Namespaces): Grant[] {
  return namespaceNames.flatMap((name): Grant[] => {
    const shared = namespaces[name];
    if (shared === undefined) return [];
    const consent: ConsentName = name === "network" ? "host-network" : "host-root";
    const isOwn = shared.startsWith("service ");
    return [{ kind: "host-namespace", detail: `${name}: ${shared}`, ...(isOwn ? {} : { consent }) }];
  });
}

/**
 * Gives to whoever shares the processes of a service the reach of that service: through /proc/1/root its files and
 * sockets are open.
 */
export function withSharedProcesses(privileges: readonly Privilege[]): Privilege[] {
  return privileges.map((privilege) => {
    const { kind, detail } = privilege;
    if (kind !== "host-namespace" || !detail.startsWith("pid: service ")) return privilege;
    const partner = detail.slice("pid: service ".length);
    const reach = privileges.filter(({ service, unseen }) => service === partner && !unseen);
    const consent = consentNames.find((name) => reach.some((each) => each.consent === name));
    return consent === undefined ? privilege : { ...privilege, consent };
  });
}
