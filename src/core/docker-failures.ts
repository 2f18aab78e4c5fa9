import { type Finding, formatFinding } from "./finding.ts";
import { positionAt, type Source } from "./source.ts";

/** How a docker child process ended, as far as its message matters. */
export interface Failure {
  readonly exitCode: number;
  readonly stderr: string;
  readonly missing: boolean;
}

/** The oldest Compose whose `!override` and `!reset` are reliable; the default overlays count on them. */
export const composeFloor = "2.24.4";

/** Names why docker itself could not do anything: not installed, no daemon, no permission, no Compose. */
export function dockerFailure({ missing, stderr }: Failure): Finding | undefined {
  if (missing) {
    return refusal(
      "D040",
      "Docker is not installed: there is no program called docker",
      "install Docker Engine with the Compose plugin, see https://docs.docker.com/engine/install/",
    );
  }
  if (/permission denied/i.test(stderr) && /docker (API|daemon)|docker\.sock/i.test(stderr)) {
    return refusal(
      "D042",
      "this user may not use the Docker socket",
      "run as root, or add the user to the docker group (which equals root) and log in again",
    );
  }
  if (
    /cannot connect to the docker daemon|is the docker daemon running|error during connect|failed to connect to the docker API/i.test(
      stderr,
    )
  ) {
    return refusal(
      "D041",
      "the Docker daemon does not answer",
      "start it (systemctl start docker), or check DOCKER_HOST and `docker context ls`",
    );
  }
  if (
    /is not a docker command|unknown command: docker compose|unknown (shorthand )?flag: ('p' in -p|--project-name|--env-file)/i.test(
      stderr,
    )
  ) {
    return refusal(
      "D043",
      "Docker Compose version 2 is not installed (docker-compose version 1 does not count)",
      `install the Compose plugin ${composeFloor} or later: docker-compose-plugin, or docker-compose on Debian 13`,
    );
  }
  return undefined;
}

/** Refuses a Compose version below the floor; undefined when it is new enough. */
export function composeVersionFinding(version: string): Finding | undefined {
  const found = /(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
  const floor = composeFloor.split(".").map(Number);
  const order = found ? compareVersions(found, floor) : -1;
  if (order >= 0) return undefined;
  return refusal(
    "D044",
    `Docker Compose ${version.trim() || "of unknown version"} is too old`,
    `install ${composeFloor} or later`,
  );
}

function compareVersions(left: readonly number[], right: readonly number[]): number {
  for (const [index, value] of left.entries()) {
    const difference = value - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function refusal(code: "D040" | "D041" | "D042" | "D043" | "D044", message: string, fix: string): Finding {
  return { code, severity: "error", message, fix };
}

/** Explains why Compose refused the merged files, with the place where the text shows one. `stderr` must be redacted. */
export function composeFailure(failure: Failure, sources: readonly Source[]): Finding {
  const docker = dockerFailure(failure);
  if (docker) return docker;
  const message = failure.stderr
    .trim()
    .split("\n")
    .filter((line) => !/level=(warning|info)/.test(line))
    .join(" ")
    .trim();
  const variable = /required variable (\w+) is missing a value(?:: (.*))?/.exec(message);
  if (variable?.[1] !== undefined) return missingVariable(variable[1], variable[2], sources);
  const yaml =
    /(?:parsing|parse) ([^ ]+\.ya?ml): yaml: (?:line (\d+): )?(.*)/.exec(message) ??
    /(?:([^ ]+\.ya?ml): )?yaml: (?:line (\d+): )?(.*)/.exec(message);
  if (yaml) return yamlFailure(yaml, sources);
  return {
    code: "D032",
    severity: "error",
    message: `Docker Compose refuses the merged files: ${message || `it ended with ${failure.exitCode} and no message`}`,
    fix: "correct the Compose files or the environment file; `./deploy config` shows the merged model once they load",
  };
}

function missingVariable(name: string, hint: string | undefined, sources: readonly Source[]): Finding {
  const found = sources
    .map((source) => ({ source, offset: source.text.search(new RegExp(`\\$\\{${name}:?\\?`)) }))
    .find(({ offset }) => offset >= 0);
  return {
    code: "D031",
    severity: "error",
    message: `the Compose files need the variable ${name}, which is not set${hint ? `: ${hint}` : ""}`,
    fix: `add ${name}=… to the environment file, or export it`,
    ...(found ? { at: positionAt(found.source, found.offset) } : {}),
  };
}

function yamlFailure(match: RegExpExecArray, sources: readonly Source[]): Finding {
  const [, file, line, reason] = match;
  const source =
    sources.find((each) => file !== undefined && each.file.endsWith(file)) ??
    (sources.length === 1 ? sources[0] : undefined);
  const name = source?.file ?? file;
  const text = line === undefined ? undefined : source?.text.split(/\r?\n/)[Number(line) - 1];
  return {
    code: "D010",
    severity: "error",
    message: `this is not valid YAML: ${reason ?? "it cannot be parsed"}`,
    fix: "check the indentation (spaces, no tabs) and the quotes on this line and the one before",
    ...(name === undefined
      ? {}
      : {
          at: {
            file: name,
            ...(line === undefined ? {} : { line: Number(line), column: 1 }),
            ...(text === undefined ? {} : { text }),
          },
        }),
  };
}

/** Joins findings to the text that people read, most severe first. */
export function formatFindings(findings: readonly Finding[]): string {
  const order = { error: 0, warning: 1, info: 2 };
  return findings
    .toSorted((left, right) => order[left.severity] - order[right.severity])
    .map(formatFinding)
    .join("\n");
}
