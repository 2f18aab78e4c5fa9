import { readFileSync, type Stats, statSync } from "node:fs";
import { joinPath } from "../../core/stack/stack.ts";
import type { Command } from "../../world.ts";

/** The variables of a process. */
export type Env = Readonly<Record<string, string | undefined>>;

/** The programs behind `docker compose`, each as its path, size and time: another file is another program. */
export interface ComposePrograms {
  /** The first `docker` on the PATH. */
  readonly docker: string;
  /** The plugins that it may load. */
  readonly plugin: string;
}

/** The folders in which docker looks for plugins on Linux and macOS, after the user's own. */
const pluginFolders = [
  "/usr/local/lib/docker/cli-plugins",
  "/usr/local/libexec/docker/cli-plugins",
  "/usr/lib/docker/cli-plugins",
  "/usr/libexec/docker/cli-plugins",
];

/** Variables by which docker reaches another engine, or speaks to it otherwise. */
const engineVariables = ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_API_VERSION", "DOCKER_TLS", "DOCKER_TLS_VERIFY"];

/** What docker goes by when it looks for the engine: itself, its settings and its variables. Undefined where headers are to be sent along. */
export function dockerSettings(home: string, env: Env): string | undefined {
  const path = joinPath(env["DOCKER_CONFIG"] ?? joinPath(home, ".docker"), "config.json");
  const program = dockerProgram(env);
  if (program === undefined || env["DOCKER_CUSTOM_HEADERS"] !== undefined || mentions(path, "HttpHeaders"))
    return undefined;
  const variables = engineVariables.map((name) => env[name] ?? null);
  return JSON.stringify([program, identities([path])[0] ?? path, ...variables]);
}

/** Which programs would answer now. A part is empty where it cannot be known, so that nothing is concluded from it. */
export function composePrograms(home: string, env: Env): ComposePrograms {
  const settings = env["DOCKER_CONFIG"] ?? joinPath(home, ".docker");
  const paths = [joinPath(settings, "cli-plugins"), ...pluginFolders].map((folder) => `${folder}/docker-compose`);
  return {
    docker: dockerProgram(env) ?? "",
    // Where docker was told of further folders, another plugin may come first.
    plugin: mentions(joinPath(settings, "config.json"), "cliPluginsExtraDirs") ? "" : identities(paths).join("; "),
  };
}

function dockerProgram(env: Env): string | undefined {
  const folders = (env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return identities(folders.map((folder) => joinPath(folder, "docker")))[0];
}

function mentions(path: string, key: string): boolean {
  try {
    return readFileSync(path, "utf8").includes(key);
  } catch {
    return false;
  }
}

/** Whether a file is among the plugins. */
export function isAmong(plugin: string, path: string): boolean {
  return plugin.split("; ").some((each) => each.startsWith(`${path} `));
}

function identities(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const stat = statIfPossible(path);
    return stat?.isFile() ? [identityOf(path, stat)] : [];
  });
}

/** What this user may not enter, such as a folder of root's PATH after `su`, docker cannot be started from either. */
function statIfPossible(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function identityOf(path: string, { size, mtimeMs }: { readonly size: number; readonly mtimeMs: number }): string {
  return `${path} ${size} ${mtimeMs}`;
}

/** Asks docker for the file that it starts as `docker compose`. */
export function pluginPathArgv(): string[] {
  return ["info", "--format", '{{range .ClientInfo.Plugins}}{{if eq .Name "compose"}}{{.Path}}{{end}}{{end}}'];
}

/**
 * The same question put to the plugin itself, which answers it in half the time: docker starts it twice. The variable is
 * by which docker has a plugin read its words as those of `docker` (docker/cli, cli-plugins/metadata).
 */
export function askPlugin({ args, env, ...command }: Command, path: string): Command {
  return { ...command, program: path, args, env: { ...env, DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: "docker" } };
}
