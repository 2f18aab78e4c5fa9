import type { Finding } from "../core/findings/finding.ts";
import type { PlanQuestion } from "../core/plan/plan.ts";
import { DeployError, exitCodes } from "../errors.ts";
import type { World } from "../world.ts";

/** Asks every open question; one that nobody answers, or answers with no, refuses before anything is touched. */
export async function consent(world: World, questions: readonly PlanQuestion[]): Promise<void> {
  const refused: Finding[] = [];
  for (const question of questions) {
    if (question.acceptedBy !== undefined) continue;
    const answer = await world.reporter.confirm({ text: asked(question), flag: flagOf(question) });
    if (answer !== true) refused.push(refusal(question, answer === false));
  }
  if (refused.length > 0) throw new DeployError(refused, exitCodes.refused);
}

/** What would be refused where nobody can be asked. */
export function unaccepted(questions: readonly PlanQuestion[]): readonly Finding[] {
  return questions.filter(({ acceptedBy }) => acceptedBy === undefined).map((question) => refusal(question, false));
}

function asked({ kind, text, contents = [] }: PlanQuestion): string {
  switch (kind) {
    case "host-privilege":
      return `This gives access to the host itself: ${[text, ...contents].join("; ")}. Grant it?`;
    case "exposure":
      // The plan above says what was checked, line by line.
      return `${text.split("; ")[0]}. Open it?`;
    case "data-loss":
      return `${text}. Go on?`;
    case "foreign-containers":
      return `${text}. Remove them?`;
    case "foreign-project":
      return `${text}. Remove what belongs to that folder?`;
    case "former-project":
      return `${text}. Keep both?`;
    case "held-lock":
      return `${text}. Remove this lock although that may still run?`;
  }
}

function flagOf({ kind, name }: PlanQuestion): string {
  switch (kind) {
    case "host-privilege":
    case "foreign-project":
    case "held-lock":
      return `--accept ${name}`;
    case "exposure":
    case "data-loss":
    case "foreign-containers":
    case "former-project":
      return "--yes";
  }
}

function refusal(question: PlanQuestion, declined: boolean): Finding {
  const start = declined ? "declined" : "not accepted";
  switch (question.kind) {
    case "host-privilege":
      return {
        code: "D060",
        severity: "error",
        message: `a new privilege that reaches the host was ${start}: ${question.text}`,
        fix: `if that is meant, run again with --accept ${question.name}, or add an entry with a reason under accept: in deploy.config.yaml`,
      };
    case "exposure":
      return {
        code: "D145",
        severity: "error",
        message: `${start}: ${question.text.split("; ")[0]}`,
        fix: "if that is meant, run again with --yes, or write it down with a reason under accept: in deploy.config.yaml: { privilege: exposure, reason: … }",
      };
    case "data-loss":
      return {
        code: "D061",
        severity: "error",
        message: `${start}: ${question.text}`,
        fix: "run again with --yes if that is meant, or without --volumes to keep the data",
      };
    case "foreign-containers":
      return {
        code: "D065",
        severity: "error",
        message: `${start}: ${question.text}`,
        fix: "run again with --yes if they are this stack's sandboxes, or else choose a longer sandbox.namePrefix",
      };
    case "foreign-project":
      return {
        code: "D066",
        severity: "error",
        message: `${start}: ${question.text}`,
        fix: `run ./deploy down in that folder, or name another project with --project; --accept ${question.name} removes it from here`,
      };
    case "former-project":
      return {
        code: "D067",
        severity: "error",
        message: `${start}: ${question.text}`,
        fix: "run ./deploy down --project NAME for the old one first (its data stays), or run again with --yes to keep both",
      };
    case "held-lock":
      return {
        code: "D069",
        severity: "error",
        message: `the removal of a lock that may be held was ${start}: ${question.text}`,
        fix: `make sure that nothing deploys there any more, then: ./deploy unlock --force --accept ${question.name}`,
      };
  }
}
