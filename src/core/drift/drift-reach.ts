import { portGrant } from "../privileges/grant-rules.ts";
import { limitKeys, limitNames, limitText } from "../stack/limits.ts";
import { type ComposeModel, type ComposeService, networkName, volumeName } from "../stack/model.ts";
import { filesOf } from "../stack/model-mounts.ts";
import { joinPath } from "../stack/stack.ts";
import type { Compared, Difference } from "./drift.ts";
import { listRows, row } from "./drift-rows.ts";

/** Published ports, each as `ADDRESS:PORT -> TARGET/PROTOCOL`. */
export function portRows({ service, container }: Compared): Difference[] {
  const shown = (ports: typeof container.ports) => ports.map((port) => portGrant(port).detail);
  return listRows("port", shown(service.ports), shown(container.ports));
}

/** Networks, and the names under which others reach the container there. */
export function networkRows({ service, container, model }: Compared): Difference[] {
  if (service.networkMode !== undefined) return [];
  const wanted = service.networks.map((key) => networkName(model, key));
  const aliases = service.aliases.filter((alias) => !container.aliases.includes(alias));
  return [
    ...listRows(
      "network",
      wanted,
      container.networks.filter((name) => name !== "none"),
    ),
    ...aliases.map((alias): Difference => ({ what: `network alias ${alias}`, change: "added" })),
  ];
}

/** Limits, each with both values; one that the kernel cannot enforce is nowhere to be seen. */
export function limitRows({ service, container, enforced }: Compared): Difference[] {
  return limitKeys.flatMap((key) => {
    const [wanted, found] = [service.settings.limits[key], container.limits[key]];
    if (found === undefined && !enforced[key]) return [];
    return row(limitNames[key], limitText(key, wanted), limitText(key, found));
  });
}

/** What is mounted, by its place in the container. */
export function mountRows({ name, service, container, model }: Compared): Difference[] {
  const wanted = wantedMounts(name, service, model);
  const found = foundMounts(container);
  const inherits = service.volumesFrom.length > 0 || service.useApiSocket;
  const rows = [...wanted].flatMap(([target, text]) => row(`mount ${target}`, text, found.get(target) ?? ""));
  const removed = [...found].filter(([target, text]) => !wanted.has(target) && !inherits && text !== anonymous);
  return [...rows, ...removed.map(([target]): Difference => ({ what: `mount ${target}`, change: "removed" }))];
}

/** A volume without a name: the service's own or the image's, which a container does not tell. */
const anonymous = "a volume of its own (rw)";

function wantedMounts(_name: string, service: ComposeService, model: ComposeModel): ReadonlyMap<string, string> {
  const access = (readOnly: boolean) => (readOnly ? "(ro)" : "(rw)");
  const volumes = service.volumes.map(({ type, source, target, readOnly }): [string, string] => {
    if (type === "tmpfs") return [target, "tmpfs"];
    if (source === undefined) return [target, anonymous];
    return [
      target,
      `${type === "volume" ? `volume ${volumeName(model, source)}` : joinPath("/", source)} ${access(readOnly)}`,
    ];
  });
  const files = filesOf(service, model).map(([target, source]): [string, string] => [
    target,
    `${joinPath("/", source)} (ro)`,
  ]);
  return new Map(
    [...service.settings.tmpfs.map(tmpfsMount), ...volumes, ...files].map(([target, text]) => [
      joinPath("/", target),
      text,
    ]),
  );
}

function tmpfsMount(line: string): [string, string] {
  const [target = line, options = ""] = line.split(/:(.*)/s);
  return [target, options === "" ? "tmpfs" : `tmpfs ${options}`];
}

function foundMounts({ mounts, access }: Compared["container"]): ReadonlyMap<string, string> {
  const tmpfs = Object.entries(access.Tmpfs).map(([target, options]) => tmpfsMount(`${target}:${options}`));
  const others = mounts.map(({ type, source, target, writable, name }): [string, string] => {
    if (type === "tmpfs") return [target, "tmpfs"];
    if (type === "volume" && (name === undefined || /^[0-9a-f]{64}$/.test(name))) return [target, anonymous];
    return [target, `${type === "volume" ? `volume ${name}` : joinPath("/", source)} ${writable ? "(rw)" : "(ro)"}`];
  });
  return new Map([...others, ...tmpfs].map(([target, text]) => [joinPath("/", target), text]));
}
