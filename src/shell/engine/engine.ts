import { type Container, parseContainers } from "../../core/containers/container.ts";
import type { Finding } from "../../core/findings/finding.ts";
import { inspectedSecrets } from "../../core/secrets/secret-values.ts";
import { containersArgv, imagesArgv, listArgv, ownersArgv } from "../../core/stack/compose-argv.ts";
import { dockerFailure, type Failure } from "../../core/stack/docker-failures.ts";
import { type ProgramSettings, parseImageSettings } from "../../core/stack/program-settings.ts";
import { joinPath } from "../../core/stack/stack.ts";
import { DeployError, exitCodes } from "../../errors.ts";
import type { RunOptions, RunResult, World } from "../../world.ts";

/** What it takes to ask an engine. */
export type EngineWorld = Pick<World, "run" | "env" | "signal">;

/** Runs `docker` with the operator's environment; throws only when the operator interrupted, for then no answer means anything. */
export async function docker(
  world: EngineWorld,
  args: readonly string[],
  options?: RunOptions & { env?: World["env"] },
): Promise<RunResult> {
  const { env = world.env, ...rest } = options ?? {};
  const result = await world.run({ program: "docker", args, env }, Object.keys(rest).length > 0 ? rest : undefined);
  world.signal.throwIfAborted();
  return result;
}

/** A docker call whose failure has no other meaning than that the engine cannot be used. */
export async function dockerOrStop(world: EngineWorld, args: readonly string[]): Promise<string> {
  const result = await docker(world, args);
  if (result.exitCode === 0) return result.stdout;
  throw new DeployError([engineFinding(result)], exitCodes.refused);
}

/** Why the engine cannot be used, in the best words there are. `stderr` arrives redacted. */
export function engineFinding(result: Failure): Finding {
  return (
    dockerFailure(result) ?? {
      code: "D041",
      severity: "error",
      message: `docker failed: ${result.stderr.trim().split("\n").at(-1) || `exit ${result.exitCode}`}`,
      fix: "run `docker info` and mend what it says",
    }
  );
}

/** Everything on the engine that belongs to a project. */
export interface ProjectContainers {
  /** Those that Compose made for its services, running or not. */
  readonly containers: readonly Container[];
  /** Those that its gateway started, by label or, for platforms that set none, by name. */
  readonly sandboxes: readonly Container[];
}

/** Finds a project's containers and sandboxes, in full. */
export async function projectContainers(
  world: World,
  project: string,
  namePrefix?: string,
): Promise<ProjectContainers> {
  const listed = await dockerOrStop(world, listArgv());
  const rows = listed.split("\n").map((line) => line.split("\t"));
  const ofCompose = new Set<string>();
  const ofGateway = new Set<string>();
  for (const [id = "", name = "", composeProject, oneoff, sandboxProject, role, guard] of rows) {
    if (composeProject === project && oneoff?.toLowerCase() !== "true") ofCompose.add(id);
    else if ((sandboxProject === project && role === "sandbox") || guard === project) ofGateway.add(id);
    // A name says little: a container that another project or gateway claims is not ours.
    else if (!composeProject && !sandboxProject && !guard && namePrefix !== undefined && name.startsWith(namePrefix))
      ofGateway.add(id);
  }
  const all = await inspectContainers(world, [...ofCompose, ...ofGateway]);
  return {
    containers: all.filter(({ id }) => ofCompose.has(id)),
    sandboxes: all.filter(({ id }) => ofGateway.has(id)),
  };
}

async function inspectContainers(world: World, ids: readonly string[]): Promise<readonly Container[]> {
  if (ids.length === 0) return [];
  // A container may vanish between the two calls: what is still there is printed, the rest fails. So may the engine.
  const inspected = await docker(world, containersArgv(ids));
  const failure = inspected.exitCode === 0 ? undefined : dockerFailure(inspected);
  if (failure !== undefined) throw new DeployError([failure], exitCodes.refused);
  const json: unknown = JSON.parse(inspected.stdout || "[]");
  // What a container prints, in its logs or in a health check, may be a secret of its own environment.
  world.reporter.hide(inspectedSecrets(json));
  const parsed = parseContainers(json);
  if (!parsed.ok) throw new DeployError(parsed.findings, exitCodes.refused);
  return parsed.value;
}

/** Images that are on this machine. */
export interface KnownImages {
  /** By the reference that was asked for. */
  readonly ids: ReadonlyMap<string, string>;
  /** What each brings, by its id. */
  readonly settings: ReadonlyMap<string, ProgramSettings>;
}

/** Which of these images are on this machine, and what they bring. */
export async function readImages(world: World, references: readonly string[]): Promise<KnownImages> {
  const wanted = [...new Set(references)];
  if (wanted.length === 0) return { ids: new Map(), settings: new Map() };
  const { stdout } = await docker(world, imagesArgv(wanted));
  const images = stdout.split("\n").flatMap((line) => {
    const [, id, tags = "", digests = "", config = ""] =
      /^(\S+) (\[[^\]]*\]|null) (\[[^\]]*\]|null) ?(.*)$/.exec(line) ?? [];
    return id === undefined ? [] : [{ id, names: `${tags} ${digests}`, config }];
  });
  const named = (reference: string) =>
    images.find(
      ({ id, names }) => id === reference || imageNames(reference).some((name) => names.includes(`"${name}"`)),
    );
  return {
    ids: new Map(
      wanted.flatMap((reference) => [named(reference)].flatMap((image) => (image ? [[reference, image.id]] : []))),
    ),
    settings: new Map(
      images.flatMap(({ id, config }) => {
        const settings = config === "" ? undefined : parseImageSettings(JSON.parse(config));
        return settings === undefined ? [] : [[id, settings]];
      }),
    ),
  };
}

/** The spellings under which an engine lists a reference: it drops Docker Hub's host, adds `latest`, and lists a digest without its tag. */
function imageNames(reference: string): string[] {
  const short = reference.replace(/^(index\.)?docker\.io\//, "").replace(/^library\//, "");
  const digest = /^(.+?)(?::[^:/@]+)?@(sha256:[0-9a-f]+)$/.exec(short);
  if (digest) return [`${digest[1]}@${digest[2]}`];
  return [/:[^/]+$/.test(short) ? short : `${short}:latest`];
}

/** Names of the project's networks or volumes, by the label that Compose gives them. */
export async function projectResources(world: World, kind: "network" | "volume", project: string): Promise<string[]> {
  const listed = await dockerOrStop(world, [
    kind,
    "ls",
    "--filter",
    `label=com.docker.compose.project=${project}`,
    "--format",
    "{{.Name}}",
  ]);
  return listed.split("\n").filter((line) => line !== "");
}

/** Names of the containers that use a network or a volume, running or not. */
export async function usersOf(world: World, kind: "network" | "volume", name: string): Promise<string[]> {
  const listed = await dockerOrStop(world, ["ps", "--all", "--filter", `${kind}=${name}`, "--format", "{{.Names}}"]);
  return listed.split("\n").filter((line) => line !== "");
}

/** The Compose projects on this engine that this tool started: by its own labels, or by Compose files of its checkout. */
export async function toolProjects(world: World): Promise<string[]> {
  const listed = await dockerOrStop(world, ownersArgv());
  const names = listed.split("\n").flatMap((line) => {
    const [project, files = "", platformConfig, sandboxProject] = line.split("\t");
    const shipped = files.split(",").some((file) => file.startsWith(`${joinPath(world.toolRoot, "compose")}/`));
    return [...(shipped || platformConfig ? [project] : []), sandboxProject];
  });
  return [...new Set(names.flatMap((name) => name || []))].toSorted();
}

/** Stops containers at once; one that is gone already is stopped. */
export async function stopContainers(world: World, containers: readonly Container[]): Promise<void> {
  if (containers.length > 0) await docker(world, ["stop", "--time", "1", ...containers.map(({ id }) => id)]);
}
