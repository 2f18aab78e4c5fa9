import type { ComposeModel, ComposeService } from "../stack/model.ts";

/** The service of this model whose container is called so, if there is one. */
export function ownService(reference: string, model: ComposeModel): string | undefined {
  return Object.entries(model.services).find(
    ([name, { containerName }]) => reference === containerName || isNumbered(reference, `${model.name}-${name}-`),
  )?.[0];
}

/** Compose numbers the containers of a service that has no container name. */
function isNumbered(reference: string, beginning: string): boolean {
  return reference.startsWith(beginning) && /^\d+$/.test(reference.slice(beginning.length));
}

/** Names by which these services are reached on their networks, in lower case. */
export function peerNames(services: readonly (readonly [name: string, service: ComposeService])[], project: string) {
  return services
    .flatMap(([name, { containerName, aliases }]) => [name, containerName ?? `${project}-${name}-1`, ...aliases])
    .map((name) => name.toLowerCase());
}

/** What an entry of `volumes_from` refers to: a service, or after `container:` a container. */
export function volumesPartner(entry: string): string {
  return entry.replace(/^container:/, "").split(":")[0] ?? entry;
}

/** Containers outside the project whose volumes come along, as the model refers to them. */
export function volumeOthers({ volumesFrom }: ComposeService, model: ComposeModel): string[] {
  return volumesFrom
    .filter((entry) => entry.startsWith("container:"))
    .map(volumesPartner)
    .filter((reference) => ownService(reference, model) === undefined);
}

/** Containers outside the project that a service is linked to, as the model refers to them. */
export function linkedOthers({ externalLinks }: ComposeService, model: ComposeModel): string[] {
  return externalLinks
    .map((link) => link.split(":")[0] ?? link)
    .filter((reference) => ownService(reference, model) === undefined);
}

/** Every container outside the project to which a model refers. */
export function modelReferences(model: ComposeModel): string[] {
  return Object.values(model.services).flatMap((service) => {
    const joined = [service.networkMode, service.pid, service.ipc].flatMap(
      (mode) => /^container:(.+)$/.exec(mode ?? "")?.[1] ?? [],
    );
    const others = joined.filter((reference) => ownService(reference, model) === undefined);
    return [...others, ...volumeOthers(service, model), ...linkedOthers(service, model)];
  });
}
