import type { Privilege, PrivilegeChange } from "../privileges/privilege.ts";
import { diffPrivileges } from "../privileges/privilege-diff.ts";
import type { DeploymentRecord } from "./deployment.ts";

/** How something of one name stands between two deployments. */
export type Change = "added" | "removed" | "changed";

/** Something that changed, by its name: what it was and is may be secret. */
export interface NamedChange {
  readonly name: string;
  readonly change: Change;
}

/** One of two deployments that are compared; what is undefined is not known of it. */
export interface ComparedSide {
  /** In words, such as `deployment 20261121-154012-3f9c`. */
  readonly title: string;
  readonly mode: string | undefined;
  /** Hashes of files by path. */
  readonly files: Readonly<Record<string, string>> | undefined;
  /** The merged model. */
  readonly model: unknown;
  /** Image ids by service. */
  readonly images: Readonly<Record<string, string>> | undefined;
  readonly privileges: readonly Privilege[] | undefined;
  /** Fingerprints of secrets by name. */
  readonly secrets: Readonly<Record<string, string>> | undefined;
}

/** What differs between two deployments; nothing in here is a value of the environment or of a secret. */
export interface DeploymentDiff {
  readonly from: string;
  readonly to: string;
  readonly mode: { readonly from: string; readonly to: string } | null;
  readonly files: readonly NamedChange[];
  /** Keys of the merged model; `service` is null for what belongs to none, and `name` is empty for a whole service. */
  readonly settings: readonly (NamedChange & { readonly service: string | null })[];
  readonly images: readonly { readonly service: string; readonly from: string | null; readonly to: string | null }[];
  readonly privileges: readonly PrivilegeChange[];
  readonly secrets: readonly NamedChange[];
  /** What could not be compared, and why, in words. */
  readonly notCompared: readonly string[];
}

/** Compares two deployments. What is known of one of them only is not compared, and named. */
export function diffDeployments(from: ComparedSide, to: ComparedSide): DeploymentDiff {
  const models = bothKnown(settingsOf(from.model), settingsOf(to.model));
  const held = bothKnown(from.privileges, to.privileges);
  return {
    from: from.title,
    to: to.title,
    mode: from.mode && to.mode && from.mode !== to.mode ? { from: from.mode, to: to.mode } : null,
    files: namedChanges(from.files, to.files),
    settings: models ? settingChanges(...models) : [],
    images: namedChanges(from.images, to.images).map(({ name }) => ({
      ...{ service: name, from: from.images?.[name] ?? null, to: to.images?.[name] ?? null },
    })),
    privileges: held ? privilegeChanges(...held) : [],
    secrets: namedChanges(from.secrets, to.secrets),
    notCompared: [from, to].flatMap(unknownParts),
  };
}

/** Whether nothing that could be compared differs. */
export function isSame({ mode, files, settings, images, privileges, secrets }: DeploymentDiff): boolean {
  return mode === null && [files, settings, images, privileges, secrets].every(({ length }) => length === 0);
}

/** A recorded deployment as one side. One that did not end well never proved which images and privileges it had. */
export function recordedSide(record: DeploymentRecord, model: unknown): ComparedSide {
  const isGood = record.outcome === "done";
  return {
    title: `deployment ${record.id}`,
    mode: record.mode,
    files: Object.fromEntries(record.sources.map(({ path, hash }) => [path, hash])),
    model,
    images: isGood ? Object.fromEntries(Object.entries(record.images).map(([name, { id }]) => [name, id])) : undefined,
    privileges: isGood ? record.privileges : undefined,
    secrets: isGood ? record.secrets : undefined,
  };
}

/** The platform makes sandboxes as it needs them: they are no part of what was deployed. */
function privilegeChanges(from: readonly Privilege[], to: readonly Privilege[]): PrivilegeChange[] {
  const [before, after] = [from, to].map((side) => side.filter(({ service }) => service !== "sandbox"));
  return diffPrivileges(before ?? [], after ?? []).filter(({ change }) => change !== "kept");
}

function bothKnown<T>(from: T | undefined, to: T | undefined): [T, T] | undefined {
  return from === undefined || to === undefined ? undefined : [from, to];
}

function unknownParts({ title, files, model, images, privileges, secrets }: ComparedSide): string[] {
  const parts = { files, configuration: model, images, privileges, secrets };
  const unknown = Object.entries(parts).flatMap(([name, part]) => (part === undefined ? [name] : []));
  return unknown.length === 0 ? [] : [`${unknown.join(", ")}: not known of ${title}`];
}

function namedChanges(
  from: Readonly<Record<string, string>> | undefined,
  to: Readonly<Record<string, string>> | undefined,
): NamedChange[] {
  const both = bothKnown(from, to);
  if (both === undefined) return [];
  const [before, after] = both.map((side) => new Map(Object.entries(side)));
  const names = [...new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])].toSorted();
  return names.flatMap((name): NamedChange[] => {
    const [old, now] = [before?.get(name), after?.get(name)];
    if (old === now) return [];
    return [{ name, change: old === undefined ? "added" : now === undefined ? "removed" : "changed" }];
  });
}

/** Names of keys may hold dots themselves, so the parts are parted by what no name holds. */
const separator = "\0";

/** Every setting of a merged model by its path, with its value as text, for comparing. */
function settingsOf(model: unknown): Record<string, string> | undefined {
  if (model === undefined) return undefined;
  return Object.fromEntries(leavesOf(model, []));
}

function leavesOf(value: unknown, path: readonly string[]): [string, string][] {
  if (typeof value !== "object" || value === null || Array.isArray(value) || Object.keys(value).length === 0)
    return [[path.join(separator), JSON.stringify(value) ?? ""]];
  return Object.entries(value).flatMap(([key, child]) => leavesOf(child, [...path, key]));
}

function settingChanges(from: Record<string, string>, to: Record<string, string>): DeploymentDiff["settings"] {
  const [before, after] = [servicesOf(from), servicesOf(to)];
  const services = namedChanges(before, after).map(({ name, change }) => ({ service: name, name: "", change }));
  const whole = new Set(services.map(({ service }) => service));
  const keys = namedChanges(from, to).map(({ name, change }) => ({ ...placeOf(name), change }));
  return [...services, ...keys.filter(({ service }) => service === null || !whole.has(service))];
}

function servicesOf(settings: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.keys(settings)
      .flatMap((path) => placeOf(path).service ?? [])
      .map((name) => [name, ""]),
  );
}

function placeOf(path: string): { readonly service: string | null; readonly name: string } {
  const [section, service, ...key] = path.split(separator);
  return section === "services" && service !== undefined
    ? { service, name: key.join(".") }
    : { service: null, name: path.replaceAll(separator, ".") };
}
