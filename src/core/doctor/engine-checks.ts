import type { Finding } from "../findings/finding.ts";
import { composeFloor, composeVersionFinding } from "../stack/docker-failures.ts";
import { type CheckResult, judged, type Known, type Problem, problemOf, resultOf, type Verdict } from "./check.ts";
import type { ToldTime } from "./clock-check.ts";
import type { EngineReport } from "./engine-report.ts";

/** What is known of the engine and of where it is. */
export interface EngineFacts {
  /** What `docker` itself knows is in it also where no engine answers; undefined where it printed nothing of use. */
  readonly report: EngineReport | undefined;
  /** Why the engine cannot be used. */
  readonly failure: Finding | undefined;
  readonly time: ToldTime | undefined;
  /** Where the `docker` program looks for it, such as `unix:///var/run/docker.sock`. */
  readonly endpoint: string;
}

/** Whether the engine is on this machine; one without a known place counts as here. */
export function isLocal(endpoint: string): boolean {
  return endpoint === "" || endpoint.startsWith("unix:") || /^tcp:\/\/(127\.|localhost\b|\[::1\])/.test(endpoint);
}

/**
 * Whether Docker is there and answers. An engine that hangs is one that does not answer, D041. `rights` is what was seen of a
 * user who may not use the socket.
 */
export function checkEngine(
  known: Known<EngineFacts>,
  rights: { readonly evidence: readonly string[]; readonly fix: string } | undefined,
): CheckResult {
  if (known.kind === "late") return resultOf("docker", { text: "", problems: [hangingProblem(known.seconds)] });
  return installable(judged("docker", known, (facts) => judgeEngine(facts, rights)));
}

/** What is not installed, or too old, can be installed: by scripts/install-docker.sh, which shows first what it does. */
function installable(result: CheckResult): CheckResult {
  const problems = result.problems.map((problem): Problem => {
    return ["D040", "D043", "D044"].includes(problem.code) ? { ...problem, mend: { name: "install-docker" } } : problem;
  });
  return { ...result, problems };
}

/** Whether Compose is there and new enough, D043 and D044. */
export function checkCompose(known: Known<string>): CheckResult {
  return installable(judged("compose", known, judgeCompose));
}

function hangingProblem(seconds: number): Problem {
  return {
    code: "D041",
    severity: "error",
    message: `the Docker daemon did not answer within ${seconds} seconds`,
    evidence: ["docker info did not end"],
    fix: "systemctl restart docker && ./deploy doctor\nwithout systemd end and start dockerd by hand; its log says why it hangs",
  };
}

function judgeEngine({ report, endpoint, failure }: EngineFacts, rights: Parameters<typeof checkEngine>[1]): Verdict {
  if (failure !== undefined || report === undefined) {
    const where = [`docker asks ${shownEndpoint(endpoint) || "the default engine"}`];
    const seen = failure?.code === "D042" && rights !== undefined ? rights : { evidence: where };
    return { text: "", problems: failure === undefined ? [] : [{ ...failure, ...seen }] };
  }
  return {
    text: `Engine ${report.version}${report.system === "" ? "" : ` on ${report.system}`}`,
    problems: [...openProblems(report), ...(isLocal(endpoint) ? [] : [remoteProblem(endpoint)])],
  };
}

/** The engine itself warns of an API that listens without encryption. */
function openProblems({ warnings }: EngineReport): Problem[] {
  const open = warnings.filter((warning) => /API is accessible on http:|without encryption/i.test(warning));
  if (open.length === 0) return [];
  return [
    {
      code: "D205",
      severity: "warning",
      message: "the engine takes commands over the network without encryption: who reaches that port is root here",
      evidence: open.map((warning) => warning.trim()),
      fix: "remove the tcp:// address from `hosts` in /etc/docker/daemon.json or from dockerd's flags, then: systemctl restart docker",
    },
  ];
}

function remoteProblem(endpoint: string): Problem {
  return {
    code: "D206",
    severity: "warning",
    message:
      "the engine is on another machine: folders, ports and disks that are checked here are not the ones it uses",
    evidence: [`docker asks ${shownEndpoint(endpoint)}`],
    fix: "unset DOCKER_HOST; docker context use default\ngoes back to the engine of this machine; or run this on that one",
  };
}

function shownEndpoint(endpoint: string): string {
  return endpoint.replace(/\/\/[^/@]*@/, "//");
}

function judgeCompose(version: string): Verdict {
  const finding = composeVersionFinding(version);
  const evidence = [`docker compose version says ${version || "nothing"}, ${composeFloor} is needed`];
  return { text: `Compose ${version}`, problems: finding ? [{ ...problemOf(finding), evidence }] : [] };
}

/** Whether images can be built as Compose wants them built, D201. */
export function judgeBuildx(report: EngineReport, compose: string | undefined): Verdict {
  const version = report.plugins.get("buildx");
  if (version !== undefined) return { text: `buildx ${version}`, problems: [] };
  // Compose 5 has no builder of its own any more.
  const needed = Number.parseInt(compose ?? "", 10) >= 5;
  return {
    text: "",
    problems: [
      {
        code: "D201",
        severity: needed ? "error" : "warning",
        message: needed
          ? `Compose ${compose} builds images with buildx, which is not installed`
          : "buildx is not installed: builds use an older builder",
        evidence: ["docker info lists no plugin buildx"],
        fix: "./deploy doctor --fix\ninstalls it, as root; by hand it is the package docker-buildx-plugin of Docker's repository, or docker-buildx of the distribution",
        mend: { name: "install-docker" },
      },
    ],
  };
}
