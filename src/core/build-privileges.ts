import type { ComposeModel, ComposeService } from "./model.ts";
import { type Grant, type Privilege, sortedPrivileges } from "./privilege.ts";

/** What building the images of these services grants on the host, with the builds that theirs start from. */
export function privilegesOfBuilds(model: ComposeModel, services: readonly string[]): readonly Privilege[] {
  const privileges = withBases(model, services).flatMap((name) =>
    grantsOf(serviceOf(model, name)?.build).map((grant) => ({ service: name, ...grant })),
  );
  return sortedPrivileges(privileges);
}

/** A context `service:NAME` makes Compose build that service too, whether it was named or not. */
function withBases(model: ComposeModel, services: readonly string[]): string[] {
  const found = new Set(services);
  for (const name of found) {
    for (const context of Object.values(serviceOf(model, name)?.build?.additional_contexts ?? {}))
      if (context.startsWith("service:")) found.add(context.slice("service:".length));
  }
  return [...found];
}

function serviceOf(model: ComposeModel, name: string): ComposeService | undefined {
  return model.services[name] ?? model.buildServices[name];
}

function grantsOf(build: ComposeService["build"]): Grant[] {
  const grants: Grant[] = [];
  if (build?.privileged || build?.entitlements.includes("security.insecure"))
    grants.push({ kind: "host-program", detail: "privileged image build", consent: "host-root" });
  if (build?.network === "host" || build?.entitlements.includes("network.host"))
    grants.push({
      kind: "host-namespace",
      detail: "network: host, during the image build",
      consent: "host-network",
    });
  return grants;
}
