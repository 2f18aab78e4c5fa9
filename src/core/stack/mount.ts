import type { VolumeUse } from "../privileges/foreign-grants.ts";
import type { HostBind } from "../privileges/host-bind.ts";
import type { MountFact, PrivilegeContext, VolumeFact } from "../privileges/privilege.ts";
import { volumeReach } from "./volume-options.ts";

/** What one mount brings into a container from outside. */
export interface Mount {
  readonly binds: readonly HostBind[];
  /** Block devices that a volume mounts. */
  readonly devices: readonly string[];
  /** Volumes that are no path of the host. */
  readonly volumes: readonly VolumeUse[];
}

/** A mount that brings nothing. */
export const noMount: Mount = { binds: [], devices: [], volumes: [] };

/** How a volume is mounted; `options` are all those that it has or may get, driver by driver. */
export interface VolumeMount extends VolumeUse {
  readonly options: readonly Pick<VolumeFact, "driver" | "options">[];
}

/** What a volume is: paths and devices of the host if its options say so, else data under a name. */
export function volumeMount({ name, target, writable, options }: VolumeMount): Mount {
  const reaches = options.map((each) => volumeReach(each.driver, each.options));
  const binds = reaches.flatMap((reach) =>
    reach.binds.map((bind) => ({ ...bind, target, writable: bind.writable && writable })),
  );
  const devices = reaches.flatMap((reach) => reach.devices);
  return { binds, devices, volumes: binds.length + devices.length > 0 ? [] : [{ name, target, writable }] };
}

/** What a mount of a running container is; a volume that hides a host path shows only if the context has it. */
export function containerMount({ type, source, target, writable, name }: MountFact, context: PrivilegeContext): Mount {
  if (type === "bind" || type === "npipe") return { ...noMount, binds: [{ source, target, writable }] };
  if (type !== "volume" || name === undefined) return noMount;
  const known = context.volumes?.find((volume) => volume.name === name);
  return volumeMount({ name, target, writable, options: known ? [known] : [] });
}
