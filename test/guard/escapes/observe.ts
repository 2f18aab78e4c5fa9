import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { send } from "./raw-client.ts";
import type { World } from "./world.ts";

/** What an escape could change: every object of the run by its id, each as text without what changes by itself. */
export type Observed = ReadonlyMap<string, string>;

const engine = "/var/run/docker.sock";

/** Asks the engine itself, never through the guard. */
export async function observe(world: World): Promise<Observed> {
  const seen = new Map<string, string>();
  for (const id of await containerIds(world)) {
    const inspected = await read(`containers/${id}/json`);
    if (inspected !== undefined) seen.set(`container ${id}`, containerText(inspected));
  }
  seen.set("foreign files", await changedFiles(world));
  for (const each of elements(field(await read("volumes"), "Volumes")))
    if (mentions(each, world)) seen.set(`volume ${field(each, "Name")}`, JSON.stringify(each));
  for (const each of elements(await read("networks")))
    if (mentions(each, world))
      seen.set(`network ${field(each, "Name")}`, JSON.stringify(await read(`networks/${field(each, "Id")}`)));
  for (const each of elements(await read("images/json")))
    if (mentions(each, world)) seen.set(`image ${field(each, "Id")}`, JSON.stringify(field(each, "RepoTags")));
  seen.set("swarm", String(field(field(await read("info"), "Swarm"), "LocalNodeState")));
  seen.set("plugins", JSON.stringify(await read("plugins")));
  seen.set("connections to the host's loopback", String(world.knocks()));
  const shared = join(world.root, "threads/t1");
  for (const name of await readdir(shared)) seen.set(`file ${name}`, String((await lstat(join(shared, name))).mode));
  for (const name of await readdir(world.outside))
    seen.set(`file ${name}`, await readFile(join(world.outside, name), "utf8"));
  return seen;
}

/** The answer to a question that fails while the container is being removed is that failure. */
async function changedFiles(world: World): Promise<string> {
  const { status, body } = await send(engine, {
    method: "GET",
    target: `/v1.41/containers/${world.foreign.id}/changes`,
  });
  if (status !== 200) return String(status);
  const files = elements(JSON.parse(body)).map((each) => JSON.stringify(each));
  return files.sort().join();
}

/** What differs, one line each, such as `new container 12ab…`. */
export function changes(before: Observed, after: Observed): string[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys.flatMap((key) => {
    if (!before.has(key)) return [`new ${key}`];
    if (!after.has(key)) return [`gone ${key}`];
    return before.get(key) === after.get(key)
      ? []
      : [`changed ${key}: ${firstDifference(before.get(key) ?? "", after.get(key) ?? "")}`];
  });
}

/** A container without what differs between two that were made by the same request. */
export function containerText(inspected: unknown): string {
  const own = [field(inspected, "Id"), String(field(inspected, "Id")).slice(0, 12)];
  const text = JSON.stringify(inspected, (key, value: unknown) => (volatile.has(key) ? undefined : value));
  return own.reduce((each: string, id) => each.replaceAll(String(id), "<id>"), text);
}

const volatile = new Set(["Created", "StartedAt", "FinishedAt", "GraphDriver", "Pid", "SandboxID", "SandboxKey"]);

/** A field of something that was read as JSON, or undefined. */
export function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** The elements of an array that was read as JSON; of anything else none. */
export function elements(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Asks the engine; undefined where it says that there is no such thing. */
export async function read(path: string): Promise<unknown> {
  const answer = await send(engine, { method: "GET", target: `/v1.41/${path}` });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw new Error(`the engine answers ${answer.status} to ${path}: ${answer.body}`);
  return JSON.parse(answer.body);
}

/** The ids of every container that carries the run's label or name, those of others left out. */
export async function containerIds(world: World): Promise<string[]> {
  const found = elements(await read("containers/json?all=1")).filter((each) => mentions(each, world));
  return found.map((each) => String(field(each, "Id"))).sort();
}

function mentions(value: unknown, world: World): boolean {
  return JSON.stringify(value).includes(world.run);
}

function firstDifference(before: string, after: string): string {
  let at = 0;
  while (before[at] === after[at]) at += 1;
  return `${before.slice(Math.max(0, at - 60), at + 80)} -> ${after.slice(Math.max(0, at - 60), at + 80)}`;
}
