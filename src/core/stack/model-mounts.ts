import { ownService, volumesPartner } from "../containers/own-container.ts";
import { otherContainer } from "../privileges/foreign-grants.ts";
import type { PrivilegeContext } from "../privileges/privilege.ts";
import { type ComposeModel, type ComposeService, volumeName } from "./model.ts";
import { containerMount, type Mount, noMount, volumeMount } from "./mount.ts";

/** `use_api_socket` is only a flag in the model; at the start Compose binds the socket. */
const apiSocket = "/var/run/docker.sock";

/**
 * What a service has mounted, by target: what it takes from others first, so that its own mounts win. A `:ro` after a
 * service of `volumes_from` counts for nothing, because Compose does not hand it on to the engine.
 */
export function mountsOf(
  name: string,
  model: ComposeModel,
  context: PrivilegeContext,
  visited: readonly string[] = [],
): ReadonlyMap<string, Mount> {
  const service = model.services[name];
  if (!service || visited.includes(name)) return new Map();
  const inherited = service.volumesFrom.flatMap((entry): [string, Mount][] => {
    const reference = volumesPartner(entry);
    const own = entry.startsWith("container:") ? ownService(reference, model) : reference;
    return own === undefined ? otherMounts(reference, context) : [...mountsOf(own, model, context, [...visited, name])];
  });
  return new Map([
    ...inherited,
    ...(service.useApiSocket ? [boundAt(apiSocket, apiSocket, true)] : []),
    ...service.volumes.map((volume): [string, Mount] => [volume.target, mountOf(volume, model, context)]),
    ...filesOf(service, model).map(([target, source]) => boundAt(target, source, false)),
  ]);
}

function otherMounts(reference: string, context: PrivilegeContext): [string, Mount][] {
  const mounts = otherContainer(reference, context)?.mounts ?? [];
  return mounts.map((mount) => [mount.target, containerMount(mount, context)]);
}

function boundAt(target: string, source: string, writable: boolean): [string, Mount] {
  return [target, { ...noMount, binds: [{ source, target, writable }] }];
}

function mountOf(volume: ComposeService["volumes"][number], model: ComposeModel, context: PrivilegeContext): Mount {
  const { type, source, target, readOnly } = volume;
  const writable = !readOnly;
  if (source === undefined || !["bind", "npipe", "volume"].includes(type)) return noMount;
  if (type !== "volume") return { ...noMount, binds: [{ source, target, writable }] };
  const declared = model.volumes[source];
  const name = volumeName(model, source);
  const existing = context.volumes?.find((each) => each.name === name);
  // The engine keeps the options of a volume that exists, unless Compose or the operator makes it anew.
  const options = [
    ...(declared === undefined || declared.external ? [] : [{ driver: declared.driver, options: declared.driverOpts }]),
    ...(existing === undefined ? [] : [existing]),
  ];
  return volumeMount({ name, target, writable, options });
}

/** Target and source of the secrets and configs that are files of the host; a relative target lies in the default folder. */
export function filesOf(service: ComposeService, model: ComposeModel): [target: string, source: string][] {
  const files = [
    { uses: service.secrets, declared: model.secrets, folder: "/run/secrets/" },
    { uses: service.configs, declared: model.configs, folder: "/" },
  ];
  return files.flatMap(({ uses, declared, folder }) =>
    uses.flatMap(({ source, target = source }): [string, string][] => {
      const file = declared[source]?.file;
      return file === undefined ? [] : [[target.startsWith("/") ? target : `${folder}${target}`, file]];
    }),
  );
}
