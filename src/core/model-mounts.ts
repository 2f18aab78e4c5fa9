import type { HostBind } from "./host-bind.ts";
import { type ComposeModel, type ComposeService, volumeName } from "./model.ts";
import type { PrivilegeContext } from "./privilege.ts";
import { volumeReach } from "./volume-options.ts";

/** What one mount brings from the host. */
export interface Mount {
  readonly binds: readonly HostBind[];
  readonly devices: readonly string[];
}

/**
 * What a service has mounted, by target: what it takes from other services first, so that its own mounts win. A `:ro`
 * after a service of `volumes_from` counts for nothing, because Compose does not hand it on to the engine.
 */
export function mountsOf(
  name: string,
  model: ComposeModel,
  context: PrivilegeContext,
  visited: readonly string[] = [],
): ReadonlyMap<string, Mount> {
  const service = model.services[name];
  if (!service || visited.includes(name)) return new Map();
  const inherited = service.volumesFrom.flatMap((entry) => [
    ...mountsOf(entry.split(":")[0] ?? entry, model, context, [...visited, name]),
  ]);
  return new Map([
    ...inherited,
    ...service.volumes.map((volume): [string, Mount] => [volume.target, mountOf(volume, model, context)]),
    ...filesOf(service, model).map(([target, source]): [string, Mount] => [
      target,
      { binds: [{ source, target, writable: false }], devices: [] },
    ]),
  ]);
}

function mountOf(volume: ComposeService["volumes"][number], model: ComposeModel, context: PrivilegeContext): Mount {
  const { type, source, target, readOnly } = volume;
  if (source === undefined || !["bind", "npipe", "volume"].includes(type)) return { binds: [], devices: [] };
  if (type !== "volume") return { binds: [{ source, target, writable: !readOnly }], devices: [] };
  const declared = model.volumes[source];
  const existing = context.volumes?.find(({ name }) => name === volumeName(model, source));
  // The engine keeps the options of a volume that exists, unless Compose or the operator makes it anew.
  const reaches = [
    ...(declared === undefined || declared.external ? [] : [volumeReach(declared.driver, declared.driverOpts)]),
    ...(existing === undefined ? [] : [volumeReach(existing.driver, existing.options)]),
  ];
  return {
    devices: reaches.flatMap(({ devices }) => devices),
    binds: reaches.flatMap(({ binds }) =>
      binds.map((bind) => ({ ...bind, target, writable: bind.writable && !readOnly })),
    ),
  };
}

/** Target and source of the secrets and configs that are files of the host; a relative target lies in the default folder. */
function filesOf(service: ComposeService, model: ComposeModel): [target: string, source: string][] {
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
