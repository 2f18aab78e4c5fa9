import { composeVersionFinding } from "../../core/stack/docker-failures.ts";
import { DeployError } from "../../errors.ts";
import type { World } from "../../world.ts";
import { docker, engineFinding } from "../engine/engine.ts";
import type { EngineSocket } from "../engine/engine-socket.ts";
import { type ComposePrograms, composePrograms, dockerSettings, pluginPathArgv } from "./compose-plugin.ts";

/** A version of Compose and the program that answered with it. */
export interface KnownCompose extends Pick<ComposePrograms, "plugin"> {
  readonly version: string;
}

/** The plugin that a docker named as its own, by path. */
export interface NamedPlugin {
  readonly docker: string;
  readonly path: string;
}

/** Stops at a Compose that is too old. Asking costs as much as a whole merge, so a plugin that was asked before is not asked again. */
export async function stopOnOldCompose(world: World, known: KnownCompose | undefined): Promise<void> {
  const { version } = await readCompose(world, known);
  const finding = composeVersionFinding(version);
  if (finding) throw new DeployError([finding]);
}

/** The version of Compose, asked anew unless the same plugin file has answered before. */
export async function readCompose(world: World, known: KnownCompose | undefined): Promise<KnownCompose> {
  const { plugin } = composePrograms(world.home, world.env);
  if (known && plugin !== "" && known.plugin === plugin) return known;
  const result = await docker(world, ["compose", "version", "--short"]);
  if (result.exitCode !== 0) throw new DeployError([engineFinding(result)]);
  return { version: result.stdout.trim(), plugin };
}

/** The plugin that docker starts, as it says itself; undefined where it does not say. */
export async function namedPlugin(world: World): Promise<NamedPlugin | undefined> {
  const { docker: program } = composePrograms(world.home, world.env);
  const { exitCode, stdout } = await docker(world, pluginPathArgv());
  const path = stdout.trim();
  return exitCode === 0 && path.startsWith("/") && program !== "" ? { docker: program, path } : undefined;
}

/**
 * Where docker reaches the engine, as it says itself; undefined where that is no socket of this machine, or is told by a
 * context of a name of its own, which may be changed without a trace in the settings.
 */
export async function readEngineSocket(world: World): Promise<EngineSocket | undefined> {
  const settings = dockerSettings(world.home, world.env);
  const [context, version] = await Promise.all([
    docker(world, ["context", "inspect", "--format", "{{.Name}} {{.Endpoints.docker.Host}}"]),
    docker(world, ["version", "--format", "{{.Client.APIVersion}}"]),
  ]);
  const path = /^default unix:\/\/(\/\S+)$/.exec(context.stdout.trim())?.[1];
  const api = /^\d+\.\d+$/.exec(version.stdout.trim())?.[0];
  if (context.exitCode !== 0 || version.exitCode !== 0 || settings === undefined) return undefined;
  return path === undefined || api === undefined ? undefined : { path, api, settings };
}
