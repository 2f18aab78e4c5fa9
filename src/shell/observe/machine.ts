import { relative } from "node:path";
import type { ConfigFile } from "../../core/config/config.ts";
import { type EnvFile, parseEnvFile } from "../../core/env/env-file.ts";
import type { Finding, Outcome } from "../../core/findings/finding.ts";
import { mayRead } from "../../core/may-read.ts";
import type { SeedFile } from "../../core/plan/facts.ts";
import type { ComposeModel } from "../../core/stack/model.ts";
import { folderOf, joinPath, relativePath, resolvePath, type Stack, type Territory } from "../../core/stack/stack.ts";
import { copiedWord } from "../../core/text/copied-word.ts";
import { visibleLine } from "../../core/text/visible-text.ts";
import type { FileStat } from "../../files.ts";
import type { World } from "../../world.ts";
import { variableOf } from "../compose/compose.ts";

/** What must be right on this machine before the stack may start: the socket, the kubeconfig, the sources of bind mounts. */
export async function machineFindings(
  world: World,
  config: ConfigFile,
  territory: Territory,
  stack: Stack,
  model: ComposeModel,
  seeds: readonly SeedFile[],
): Promise<Finding[]> {
  const { mode } = stack.detection;
  const special =
    mode === "aio"
      ? await socketFinding(world, config, territory)
      : mode === "provisioner"
        ? await kubeconfigFinding(world, config, territory, model)
        : [];
  const checked = [
    territory.socketPath,
    territory.kubeconfigPath,
    territory.guardPolicyPath,
    ...(stack.lent ?? []).flatMap((each) => (each.form === "env" ? [] : [each.path])),
    ...seeds.map(({ to }) => to),
  ];
  return [
    ...special,
    ...(await platformConfigFindings(world, config, territory, stack, model)),
    ...emptyExports(world, model),
    ...(await unsetFindings(world, stack, model)),
    ...(await bindFindings(world, territory, stack, model, checked)),
  ];
}

/** Compose notices only when it has stopped the old container already that a variable is missing in which a secret is. */
async function unsetFindings(world: World, stack: Stack, model: ComposeModel): Promise<Finding[]> {
  const starting = Object.entries(model.services).filter(([name]) => !stack.excluded.includes(name));
  const used = starting.flatMap(([, { secrets, configs }]) => [
    ...secrets.map(({ source }) => ["secret", source, model.secrets[source]?.environment] as const),
    ...configs.map(({ source }) => ["config", source, model.configs[source]?.environment] as const),
  ]);
  const unset = await Promise.all(
    used.map(async ([kind, name, variable]): Promise<string[]> => {
      if (variable === undefined || (await variableOf(world, stack, variable)) !== undefined) return [];
      return [`the ${kind} ${name} is in the environment variable ${variable}, which is not set`];
    }),
  );
  return [...new Set(unset.flat())].map((message) => ({
    code: "D062",
    severity: "error",
    message,
    fix: "export it in this shell, or give it a value in the environment file",
  }));
}

/** An exported variable beats the environment file, even an empty one: a secret generated there would never arrive. */
function emptyExports(world: World, model: ComposeModel): Finding[] {
  const names = Object.entries(model.generatedSecrets).filter(
    ([name, { value }]) => value.reveal() === "" && world.env[name] === "",
  );
  return names.map(([name]) => ({
    code: "D062",
    severity: "error",
    message: `${name} is exported in this shell and empty, which hides its value in the environment file from Compose`,
    fix: `run unset ${name}`,
  }));
}

async function socketFinding(world: World, config: ConfigFile, territory: Territory): Promise<Finding[]> {
  const path = territory.socketPath;
  const stat = await world.files.stat(path);
  if (stat?.kind === "socket") return [];
  return [
    {
      code: "D045",
      severity: "error",
      message: stat
        ? `${path} is not a socket, and aio mode needs the Docker socket`
        : `aio mode needs the Docker socket, and there is none at ${path}`,
      fix: "start Docker on this machine, or set sandbox.docker.socket to where its socket is (rootless: $XDG_RUNTIME_DIR/docker.sock)",
      at: config.positionOf(["sandbox", "docker", "socket"]),
    },
  ];
}

async function kubeconfigFinding(
  world: World,
  config: ConfigFile,
  territory: Territory,
  model: ComposeModel,
): Promise<Finding[]> {
  const path = territory.kubeconfigPath;
  const at = config.positionOf(["sandbox", "kubeconfig"]);
  const stat = await world.files.stat(path);
  if (stat?.kind !== "file") {
    const message = stat
      ? `${path} is not a file, and provisioner mode needs one kubeconfig file`
      : `provisioner mode needs a kubeconfig, and there is none at ${path}`;
    const fix = "set sandbox.kubeconfig to the one file that the provisioner may use";
    return [{ code: "D046", severity: "error", message, fix, at }];
  }
  return strangers(model, path, stat).map(({ user, message }) => ({
    code: "D046",
    severity: "error",
    message,
    fix: `chown ${user} ${copiedWord(path)}, or chmod 0644 ${copiedWord(path)} if everybody on this machine may read it, or set PROVISIONER_USER in the environment file to a user that may`,
    at,
  }));
}

/** A file that was written under a strict umask would only be missed by a container that crashes again and again. */
async function platformConfigFindings(
  world: World,
  config: ConfigFile,
  { platformConfigPath: path }: Territory,
  { excluded }: Stack,
  model: ComposeModel,
): Promise<Finding[]> {
  const stat = await world.files.stat(path);
  if (stat === undefined) return [];
  const found = strangers(model, path, stat).filter(({ service }) => !excluded.includes(service));
  return found.map(({ user, message }) => ({
    code: "D048",
    severity: "error",
    message,
    fix: `chmod 0644 ${copiedWord(path)}, or if it holds what not everybody on this machine may read: chown ${user} ${copiedWord(path)}`,
    at: config.positionOf(["platform", "config"]),
  }));
}

/** The services that mount a file and may not read it, in words. */
function strangers(model: ComposeModel, path: string, stat: FileStat) {
  const mounting = Object.entries(model.services).filter(([, { volumes }]) =>
    volumes.some(({ type, source }) => type === "bind" && source === path),
  );
  const isMember = (groups: readonly string[]) => groups.includes(String(stat.gid)) && (stat.mode & 0o040) !== 0;
  const mode = stat.mode.toString(8).padStart(4, "0");
  return mounting
    .filter(([, { user, groupAdd }]) => !mayRead(stat, user) && !isMember(groupAdd))
    .map(([service, { user = "" }]) => ({
      service,
      user,
      message: `${service} runs as user ${user}, who may not read ${path} (mode ${mode}, owner ${stat.uid}:${stat.gid})`,
    }));
}

/** Docker would create a missing source as a directory that root owns, so every source must exist first. */
async function bindFindings(
  world: World,
  territory: Territory,
  stack: Stack,
  model: ComposeModel,
  checked: readonly string[],
): Promise<Finding[]> {
  const own = `${territory.secretsPath}/`;
  const active = Object.entries(model.services).filter(([name]) => !stack.excluded.includes(name));
  const binds = active.flatMap(([service, { volumes }]) =>
    volumes.flatMap(({ type, source }) => (type === "bind" && source ? [{ service, source }] : [])),
  );
  const asked = binds.filter(({ source }) => !checked.includes(source) && !source.startsWith(own));
  const stats = await Promise.all(asked.map(({ source }) => world.files.stat(source)));
  const missing = asked.filter((_, index) => stats[index] === undefined);
  return Promise.all(
    missing.map(async ({ service, source }): Promise<Finding> => {
      const message = `${service} mounts ${source}, which does not exist`;
      return { code: "D048", severity: "error", message, fix: await bindFix(world, territory, stack, source) };
    }),
  );
}

/** Compose resolves the relative paths of all files at the folder of the first one, which is not what an overlay looks like. */
async function bindFix(world: World, { root }: Territory, { files }: Stack, source: string): Promise<string> {
  const start = folderOf(files[0] ?? root);
  const path = relative(start, source);
  const meant = [...new Set([root, ...files.map(folderOf)])].map((folder) => joinPath(folder, path));
  const stats = await Promise.all(meant.map((each) => world.files.stat(each)));
  const found = meant.find((_, index) => stats[index] !== undefined);
  const rule = `relative paths of every Compose file start at ${start}, the folder of the first one`;
  if (found !== undefined) return `${rule}: write ${found} in its place`;
  if (start === root || path.startsWith("../"))
    return "create it, or correct the path in the Compose file or its variable";
  return `create it, or correct the path; ${rule}, so for one in your folder write ${joinPath(root, path)}`;
}

/** Finds what is wrong with the files that the configuration names, before Compose is asked about them. */
export async function inputFindings(
  world: World,
  config: ConfigFile,
  territory: Territory,
  files: readonly string[],
): Promise<Finding[]> {
  const stats = await Promise.all(files.map((file) => world.files.stat(file)));
  const missing = files.filter((_, index) => stats[index]?.kind !== "file");
  return [
    ...missing.map((file) => missingFile(config, file, placeOfFile(world, config, territory, file))),
    ...((await readEnvFile(world, territory))?.findings ?? []),
    ...(await danglingLinks(world, territory)),
  ];
}

/** A link that leads nowhere reads as a missing file, and a new one would be written to wherever it points. */
async function danglingLinks(world: World, { root, envPath, platformConfigPath }: Territory): Promise<Finding[]> {
  const found = await Promise.all([envPath, platformConfigPath].map((path) => danglingLink(world, root, path)));
  return found.flatMap((finding) => finding ?? []);
}

/** A finding for a symbolic link that leads nowhere, D014; undefined for everything else. */
export async function danglingLink(world: World, root: string, path: string): Promise<Finding | undefined> {
  if (await world.files.stat(path)) return undefined;
  const target = await world.files.linkTarget(path);
  if (target === undefined) return undefined;
  return {
    code: "D014",
    severity: "error",
    message: `${relativePath(root, path)} is a symbolic link to ${visibleLine(target)}, which does not exist`,
    fix: "bring back what it points to, or remove the link so that a new file can be made",
  };
}

function missingFile(config: ConfigFile, file: string, place: readonly PropertyKey[]): Finding {
  return {
    code: "D014",
    severity: "error",
    message: `the Compose file ${file} does not exist`,
    fix: "correct compose.base or compose.overlays; paths start at the folder of this file",
    at: config.positionOf(place),
  };
}

/** Which key of the configuration names a Compose file. */
function placeOfFile(world: World, config: ConfigFile, territory: Territory, file: string): readonly PropertyKey[] {
  const { base, overlays } = config.config.compose;
  const named: (readonly [readonly PropertyKey[], string | undefined])[] = [
    [["compose", "base"], base],
    ...Object.entries(overlays).flatMap(([key, paths = []]) =>
      paths.map((path, index): [PropertyKey[], string] => [["compose", "overlays", key, index], path]),
    ),
  ];
  const found = named.find(([, path]) => path !== undefined && resolvePath(territory.root, world.home, path) === file);
  return found?.[0] ?? ["compose"];
}

async function readEnvFile(world: World, territory: Territory): Promise<Outcome<EnvFile> | undefined> {
  const text = await world.files.read(territory.envPath);
  return text === undefined ? undefined : parseEnvFile({ file: envName(territory), text }, exportedIn(world));
}

function envName({ root, envPath }: Territory): string {
  return relativePath(root, envPath);
}

function exportedIn({ env }: World): ReadonlyMap<string, string> {
  return new Map(Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])));
}
