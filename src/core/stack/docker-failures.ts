import { type Finding, formatFindingWithin } from "../findings/finding.ts";

/** How a docker child process ended, as far as its message matters. */
export interface Failure {
  readonly exitCode: number;
  readonly stderr: string;
  readonly missing: boolean;
}

/** The oldest Compose whose `!override` and `!reset` are reliable; the default overlays count on them. */
export const composeFloor = "2.24.4";

/** Without the plugin, docker takes the flags behind `compose` for its own and shows its own usage. */
const composePluginMissing =
  /'compose' is not a docker command|unknown command: docker compose|unknown (shorthand )?flag: [\s\S]*Usage:\s+docker \[OPTIONS\]/i;

/** Names why docker itself could not do anything: not installed, no daemon, no permission, no Compose. */
export function dockerFailure({ missing, stderr }: Failure): Finding | undefined {
  if (missing) {
    return refusal(
      "D040",
      "Docker is not installed: there is no program called docker",
      "install Docker Engine with the Compose plugin: ./deploy up offers it, and scripts/install-docker.sh does only that",
    );
  }
  if (
    /permission denied.*(docker (API|daemon)|docker\.sock)|(docker (API|daemon)|docker\.sock).*permission denied/i.test(
      stderr,
    )
  ) {
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
      "start it (systemctl start docker), or without systemd by scripts/install-docker.sh; or check DOCKER_HOST and `docker context ls`",
    );
  }
  if (composePluginMissing.test(stderr)) {
    return refusal(
      "D043",
      "Docker Compose version 2 is not installed (docker-compose version 1 does not count)",
      `install the Compose plugin ${composeFloor} or later: scripts/install-docker.sh does it`,
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
    `install ${composeFloor} or later: scripts/install-docker.sh does it`,
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

/** What is shown of a line of a file where no terminal says how much has room: a file may be one line of megabytes. */
const longestColumns = 400;

/** Joins findings to the text that people read, most severe first; lines of files are cut to so many columns. */
export function formatFindings(findings: readonly Finding[], columns = longestColumns): string {
  const order = { error: 0, warning: 1, info: 2 };
  return findings
    .toSorted((left, right) => order[left.severity] - order[right.severity])
    .map((finding) => formatFindingWithin(finding, columns))
    .join("\n");
}
