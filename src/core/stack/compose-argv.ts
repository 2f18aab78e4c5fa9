import { buildProfile, type Stack } from "./stack.ts";

/** What Compose must be told to merge the same model again. */
export type ComposeFiles = Pick<Stack, "project" | "files" | "envPath">;

type ProfiledFiles = ComposeFiles & Pick<Stack, "variables">;

/** Arguments of `docker compose` that name the project, the environment and the merged files. */
export function composeArgv(stack: ComposeFiles, ...rest: readonly string[]): string[] {
  return [
    "compose",
    "--project-name",
    stack.project,
    "--env-file",
    stack.envPath,
    ...stack.files.flatMap((file) => ["--file", file]),
    ...rest,
  ];
}

/** Arguments of `docker compose` that need nothing but a name; an environment file of the current folder may not set Compose up. */
function projectArgv(project: string, ...rest: readonly string[]): string[] {
  return ["compose", "--project-name", project, "--env-file", "/dev/null", ...rest];
}

/** Labels that tell whose a container is, in the order in which a row of the list has them, behind its id and name. */
export const listedLabels = [
  "com.docker.compose.project",
  "com.docker.compose.oneoff",
  "sandbox-deploy.project",
  "sandbox-deploy.role",
  "sandbox-deploy.guard",
] as const;

/** Lists every container with what tells whose it is: one question for containers and sandboxes, whatever the project. */
export function listArgv(): string[] {
  const fields = [".ID", ".Names", ...listedLabels.map((label) => `.Label "${label}"`)];
  return ["ps", "--all", "--no-trunc", "--format", rowOf(fields)];
}

const ownerFields = [
  '.Label "com.docker.compose.project"',
  '.Label "com.docker.compose.project.config_files"',
  '.Label "sandbox-deploy.platform-config"',
  '.Label "sandbox-deploy.project"',
];

/** Lists what tells which projects this tool started. */
export function ownersArgv(): string[] {
  return ["ps", "--all", "--no-trunc", "--format", rowOf(ownerFields)];
}

/** Lists the files that each container was made from and what it mounts, of the host by its whole path. */
export function mountsArgv(): string[] {
  return [
    "ps",
    "--all",
    "--no-trunc",
    "--format",
    rowOf(['.Label "com.docker.compose.project.config_files"', ".Mounts"]),
  ];
}

function rowOf(fields: readonly string[]): string {
  return fields.map((field) => `{{${field}}}`).join("\t");
}

/** Asks for containers in full. */
export function containersArgv(ids: readonly string[]): string[] {
  return ["container", "inspect", ...ids];
}

/** Asks for ids, names and settings of images: prints those that exist and fails for the others. */
export function imagesArgv(references: readonly string[]): string[] {
  return [
    "image",
    "inspect",
    "--format",
    "{{.Id}} {{json .RepoTags}} {{json .RepoDigests}} {{json .Config}}",
    ...references,
  ];
}

/** Asks for volumes and what their driver options hide. */
export function volumesArgv(names: readonly string[]): string[] {
  return ["volume", "inspect", ...names];
}

/** Asks what the engine gives to containers that name no runtime and no log driver. */
export function defaultsArgv(): string[] {
  return ["info", "--format", "{{.DefaultRuntime}}\t{{.LoggingDriver}}"];
}

/** Asks which engine this is. */
export function engineIdArgv(): string[] {
  return ["info", "--format", "{{.ID}}"];
}

/** Lists the tags that keep the images of these deployments, whatever project they are of. */
export function deploymentTagsArgv(ids: readonly string[]): string[] {
  const filters = ids.flatMap((id) => ["--filter", `reference=*/*:deploy-${id}`]);
  return ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", ...filters];
}

/** Asks which limits the kernel lets the engine enforce: memory, swap, CPU and processes. */
export function enforcedArgv(): string[] {
  return ["info", "--format", "{{.MemoryLimit}}\t{{.SwapLimit}}\t{{.CPUCfsQuota}}\t{{.PidsLimit}}"];
}

/** Asks for networks: their drivers and whose they are. */
export function networksArgv(names: readonly string[]): string[] {
  return ["network", "inspect", ...names];
}

/** Asks for the merged model, with the services that are only built; its output holds interpolated secrets. */
export function modelArgv(stack: ProfiledFiles): string[] {
  return composeArgv(stack, ...profileFlags(stack), "config", "--format", "json");
}

/** Compose forgets the profiles of the environment file as soon as one is named, so that these have to be named as well. */
function profileFlags({ variables }: ProfiledFiles): string[] {
  const others = (variables["COMPOSE_PROFILES"] ?? "").split(",").map((name) => name.trim());
  return [...new Set([buildProfile, ...others])].flatMap((name) => (name === "" ? [] : ["--profile", name]));
}

/** Asks for the hash of each service's configuration, which Compose also puts on its containers as a label. */
export function hashArgv(stack: ComposeFiles): string[] {
  return composeArgv(stack, "config", "--hash", "*");
}

/** Starts or recreates exactly the named services, from images that are already there. */
export function upArgv(stack: ComposeFiles, services: readonly string[], recreate: boolean): string[] {
  return composeArgv(
    stack,
    "up",
    "--detach",
    "--no-build",
    "--remove-orphans",
    ...(recreate ? ["--force-recreate"] : []),
    ...services,
  );
}

/** Builds images; the profile also reaches services that exist only to be built. */
export function buildArgv(stack: ProfiledFiles, services: readonly string[], pull: boolean): string[] {
  return composeArgv(stack, ...profileFlags(stack), "build", ...(pull ? ["--pull"] : []), ...services);
}

/** Pulls what is published; images that this stack builds are left out. */
export function pullArgv(stack: ComposeFiles, services: readonly string[], policy: "missing" | "always"): string[] {
  return composeArgv(stack, "pull", "--ignore-buildable", "--policy", policy, ...services);
}

/** Removes a project by name: needs no file, so it works when the configuration is gone. */
export function downArgv(project: string, volumes: boolean): string[] {
  return projectArgv(project, "down", "--remove-orphans", ...(volumes ? ["--volumes"] : []));
}

/** Runs a program in a running service. */
export function execArgv(project: string, service: string, words: readonly string[]): string[] {
  return projectArgv(project, "exec", "--no-TTY", service, ...words);
}

/** Restarts services of a project by name. */
export function restartArgv(project: string, services: readonly string[]): string[] {
  return projectArgv(project, "restart", ...services);
}

/** Shows logs of a project by name. */
export function logsArgv(
  project: string,
  services: readonly string[],
  options: { follow: boolean; tail: string; color: boolean },
): string[] {
  const flags = [
    "--tail",
    options.tail,
    ...(options.follow ? ["--follow"] : []),
    ...(options.color ? [] : ["--no-color"]),
  ];
  return projectArgv(project, "logs", ...flags, ...services);
}

const droppedVariables = [
  "COMPOSE_FILE",
  "COMPOSE_PROJECT_NAME",
  "COMPOSE_ENV_FILES",
  "COMPOSE_DISABLE_ENV_FILE",
  "COMPOSE_PATH_SEPARATOR",
  "COMPOSE_REMOVE_ORPHANS",
  "COMPOSE_IGNORE_ORPHANS",
  "COMPOSE_PROFILES",
  "COMPOSE_PROGRESS",
];

/** The environment for Compose: the operator's, less what would silently select other files or draw progress otherwise, plus the stack's own variables. */
export function composeEnvironment(
  stack: Pick<Stack, "variables">,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => !droppedVariables.includes(name)));
  return { ...kept, ...stack.variables };
}
