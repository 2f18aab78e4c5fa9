import type { Space } from "../../core/doctor/capacity-checks.ts";
import { type EngineFacts, isLocal } from "../../core/doctor/engine-checks.ts";
import { parseEngineReport } from "../../core/doctor/engine-report.ts";
import { parseTimestamp } from "../../core/doctor/instant.ts";
import type { RightsFacts } from "../../core/doctor/rights-check.ts";
import { DeployError } from "../../errors.ts";
import { FileReadError } from "../../files.ts";
import type { World } from "../../world.ts";
import { docker, engineFinding } from "../engine/engine.ts";

/** What the engine and the `docker` program say of themselves; D040 where there is no such program. */
export async function readEngine(world: World): Promise<EngineFacts> {
  const askedAt = world.now().getTime();
  const [info, version, context] = await Promise.all([
    docker(world, ["info", "--format", "{{json .}}"]),
    docker(world, ["version", "--format", "{{json .}}"]),
    docker(world, ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]),
  ]);
  const answeredAt = world.now().getTime();
  if (info.missing) throw new DeployError([engineFinding(info)]);
  const report = parseEngineReport(info.stdout, version.stdout);
  const failed = version.exitCode === 0 ? info : version;
  const stderr = failed.stderr.trim() || (report?.errors.join("\n") ?? "docker info printed nothing that can be read");
  const answers = report !== undefined && report.version !== "";
  const told = parseTimestamp(report?.time ?? "");
  return {
    report,
    endpoint: context.exitCode === 0 ? context.stdout.trim() : (world.env["DOCKER_HOST"] ?? ""),
    failure: answers ? undefined : engineFinding({ exitCode: 1, missing: false, stderr }),
    time: told === undefined ? undefined : { by: "the engine", told, grain: 0, askedAt, answeredAt },
  };
}

/** Who this user is to the engine. */
export async function readRights(
  world: World,
  engine: { readonly endpoint: string; readonly rootless: boolean | undefined },
): Promise<RightsFacts> {
  const socketPath = /^unix:\/\/(.+)$/.exec(engine.endpoint)?.[1];
  const [groups, groupFile, socket] = await Promise.all([
    world.run({ program: "id", args: ["-Gn"], env: world.env }),
    readIfPossible(world, "/etc/group"),
    socketPath === undefined ? undefined : statIfPossible(world, socketPath),
  ]);
  const { user, uid } = world;
  const names = groups.stdout
    .trim()
    .split(/\s+/)
    .filter((name) => name !== "");
  return { user, uid, groups: names, groupFile, socketPath, socket, rootless: engine.rootless };
}

/** Free space of the file system that a path is on; undefined where the path is not on this machine. */
export async function readSpace(world: World, what: Space["what"], path: string): Promise<Space | undefined> {
  const ask = (flag: string) => world.run({ program: "df", args: [flag, path], env: { ...world.env, LC_ALL: "C" } });
  const [blocks, inodes] = await Promise.all([ask("-Pk"), ask("-Pi")]);
  const [size, free] = lastRow(blocks.stdout, [1, 3]);
  const [all, left] = lastRow(inodes.stdout, [1, 3]);
  if (blocks.exitCode !== 0 || size === undefined || free === undefined) return undefined;
  // Some file systems make inodes as they are needed and say that there are none.
  return { what, path, free: free * 1024, size: size * 1024, inodes: all ? left : undefined };
}

/** Bytes of memory that programs could have now; undefined where the system does not say, or the engine is elsewhere. */
export async function readAvailableMemory(world: World, endpoint: string): Promise<number | undefined> {
  if (!isLocal(endpoint)) return undefined;
  const found = /^MemAvailable:\s+(\d+) kB$/m.exec(await readIfPossible(world, "/proc/meminfo"));
  return found === null ? undefined : Number(found[1]) * 1024;
}

function lastRow(text: string, columns: readonly number[]): (number | undefined)[] {
  const words = text.trim().split("\n").at(-1)?.split(/\s+/) ?? [];
  return columns.map((column) => (/^\d+$/.test(words[column] ?? "") ? Number(words[column]) : undefined));
}

/** The text of a file, or nothing where it is not there or closed to this user. */
export async function readIfPossible(world: Pick<World, "files">, path: string): Promise<string> {
  try {
    return (await world.files.read(path)) ?? "";
  } catch (error) {
    if (error instanceof FileReadError) return "";
    throw error;
  }
}

/** What is at a path, or nothing where it is closed to this user. */
export async function statIfPossible(world: Pick<World, "files">, path: string) {
  try {
    return await world.files.stat(path);
  } catch (error) {
    if (error instanceof FileReadError) return undefined;
    throw error;
  }
}
