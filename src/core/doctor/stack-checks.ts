import type { Container } from "../containers/container.ts";
import { type Holding, heldFinding, holderText } from "../deployment/lock-holder.ts";
import type { Mode } from "../detect/mode.ts";
import { type HandChange, handChangeText } from "../drift/hand-changes.ts";
import type { Finding } from "../findings/finding.ts";
import type { Plan } from "../plan/plan.ts";
import { type ComposeModel, volumeName } from "../stack/model.ts";
import { type Problem, problemOf, skipped, type Verdict } from "./check.ts";

/** Findings of a question that others ask too; a fix by `--fix` is offered where one is safe. */
export function judgeFindings(
  text: string,
  findings: readonly Finding[],
  mendOf?: (finding: Finding) => Problem["mend"],
): Verdict {
  return {
    text,
    problems: findings.map((finding) => {
      const mend = mendOf?.(finding);
      return { ...problemOf(finding), ...(mend ? { mend } : {}) };
    }),
  };
}

/** Who holds the locks of a folder and its project: a deploy that runs is only told (D063), a dead one's is in the way (D223). */
export function judgeLocks(locks: readonly Holding[], now: number): Verdict {
  const problems = locks.map((lock): Problem => {
    if (lock.fate !== "dead") return { ...problemOf(heldFinding(lock, now)), severity: "warning" };
    return {
      code: "D223",
      severity: "warning",
      message: "a lock is left over from a deploy that died; the next one takes it over",
      evidence: [`${lock.where}: ${holderText(lock, now)}`],
      fix: "./deploy unlock",
      mend: { name: "stale-lock", where: lock.where },
    };
  });
  return { text: "nobody holds it", problems };
}

/** What there is of the project on the engine. */
export interface LeftoverFacts {
  readonly mode: Mode;
  readonly model: ComposeModel;
  readonly excluded: readonly string[];
  readonly containers: readonly Container[];
  readonly sandboxes: readonly Container[];
  readonly volumes: readonly string[];
}

/** What another mode, or an earlier version of the files, has left behind, D222. Volumes are only named: they hold data. */
export function judgeLeftovers(facts: LeftoverFacts): Verdict {
  const { mode, model, excluded, containers, sandboxes, volumes } = facts;
  const wanted = Object.keys(model.services).filter((name) => !excluded.includes(name));
  const strangers = containers.filter(({ service }) => service === undefined || !wanted.includes(service));
  const stray = mode === "aio" ? [] : sandboxes;
  const known = Object.keys(model.volumes).map((key) => volumeName(model, key));
  const unused = volumes.filter((name) => !known.includes(name));
  return {
    text: `nothing of another mode than ${mode}`,
    problems: [
      ...strangers.map((each) =>
        leftover(each, `a container of ${each.service ?? "no service"} runs that ${mode} mode does not have`),
      ),
      ...stray.map((each) => leftover(each, `a sandbox is left over from another mode than ${mode}`)),
      ...(unused.length === 0 ? [] : [leftVolumes(unused, mode)]),
    ],
  };
}

function leftover({ id, name, service, state }: Container, message: string): Problem {
  return {
    code: "D222",
    severity: "warning",
    message: `${message}: ${name}`,
    evidence: [
      `docker ps --all: ${name}, ${service === undefined ? "no service" : `service ${service}`}, ${state.status}`,
    ],
    fix: `docker rm --force ${name}\n./deploy up and ./deploy doctor --fix do it too`,
    mend: { name: "leftovers", id, container: name },
  };
}

function leftVolumes(names: readonly string[], mode: Mode): Problem {
  return {
    code: "D222",
    severity: "info",
    message: `volumes that ${mode} mode does not use keep their data: ${names.join(", ")}`,
    evidence: names.map((name) => `docker volume ls: ${name}`),
    fix: `docker volume rm ${names.join(" ")}\nonly if nobody needs what is in them`,
  };
}

/** What runs, held against the last deployment. */
export interface DeploymentFacts {
  readonly receiptProblem: Finding | undefined;
  /** When and by whom it was deployed; undefined where it never was from here. */
  readonly deployed: string | undefined;
  readonly running: number;
  /** Services of the last deployment that are missing or not healthy, in words. */
  readonly ailing: readonly string[];
  readonly drift: readonly HandChange[];
  /** What goes beyond the plan, D072. */
  readonly beyond: readonly Finding[];
}

/** Whether what runs is what was deployed: D080, D070, D224 and D072. */
export function judgeDeployment({
  receiptProblem,
  deployed,
  running,
  ailing,
  drift,
  beyond,
}: DeploymentFacts): Verdict {
  if (receiptProblem === undefined && deployed === undefined && running === 0)
    return skipped("nothing was deployed from here yet");
  return {
    text:
      running === 0
        ? "nothing runs"
        : `${running} ${running === 1 ? "container runs" : "containers run"} as deployed ${deployed ?? "by somebody else"}`,
    problems: [
      ...(receiptProblem ? [problemOf(receiptProblem)] : []),
      ...(ailing.length === 0 ? [] : [ailingProblem(ailing)]),
      ...(drift.length === 0 ? [] : [driftProblem(drift)]),
      ...beyond.map(problemOf),
    ],
  };
}

function ailingProblem(ailing: readonly string[]): Problem {
  return {
    code: "D070",
    severity: "warning",
    message: "not every service of the last deployment is healthy",
    evidence: ailing,
    fix: "./deploy status\nshows more, ./deploy logs SERVICE why; ./deploy up starts what is missing",
  };
}

function driftProblem(drift: readonly HandChange[]): Problem {
  return {
    code: "D224",
    severity: "warning",
    message: "containers were changed by hand since the last deployment",
    evidence: drift.map(handChangeText),
    fix: "./deploy plan\nshows what would become of it; ./deploy up makes it as deployed",
  };
}

/** What `up` would do, and what would stop it that no other check has told already. */
export function judgePlan({ steps, questions, findings }: Plan, told: readonly Problem[]): Verdict {
  const known = new Set(told.map(({ code, message }) => `${code} ${message}`));
  const parts = [
    steps.length === 0
      ? "up would have nothing to do"
      : `up would make ${steps.length} ${steps.length === 1 ? "step" : "steps"}`,
    ...(questions.length === 0
      ? []
      : [`and ask ${questions.length === 1 ? "a question" : `${questions.length} questions`} first`]),
  ];
  const rest = findings.filter(({ code, message }) => !known.has(`${code} ${message}`));
  return { text: parts.join(" "), problems: rest.map(problemOf) };
}
