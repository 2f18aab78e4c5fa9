import { describeForeign, type ForeignDeployment } from "../containers/origin.ts";
import type { Finding } from "../findings/finding.ts";
import type { FormerDeployment } from "./facts.ts";
import { type AcceptName, foreignProject, type PlanQuestion } from "./plan.ts";

/** Why `up` does not touch a project of the same name that another folder deployed, unless that was accepted by name. */
export function foreignFindings(
  project: string,
  foreign: readonly ForeignDeployment[],
  accept: readonly AcceptName[],
): Finding[] {
  return foreign.map((deployment): Finding => {
    const runs = `project ${project} runs already, and another folder deployed it: ${describeForeign(deployment)}`;
    if (accept.includes(foreignProject))
      return { code: "D066", severity: "warning", message: `${runs}; it is taken over, as --accept says` };
    if (deployment.gone) {
      return {
        code: "D066",
        severity: "warning",
        message: `${runs}, which is no longer there; it is taken over`,
        fix: "nothing, if this folder was moved or is checked out anew; else choose another name with project: in deploy.config.yaml",
      };
    }
    return {
      code: "D066",
      severity: "error",
      message: runs,
      fix: `choose another name (project: in deploy.config.yaml, or --project NAME), or run ./deploy down in that folder first; --accept ${foreignProject} takes it over`,
    };
  });
}

/** Asks before `down` removes what another folder deployed; where that folder is gone, nobody else could. `--yes` is no answer. */
export function foreignProjectQuestions(
  project: string,
  foreign: readonly ForeignDeployment[],
  accept: readonly AcceptName[],
): PlanQuestion[] {
  const others = foreign.filter(({ gone }) => !gone);
  if (others.length === 0) return [];
  const text = `another folder deployed these containers of ${project}: ${others.map(describeForeign).join("; ")}`;
  const acceptedBy = accept.includes(foreignProject) ? { acceptedBy: `--accept ${foreignProject}` } : {};
  return [{ kind: foreignProject, name: foreignProject, text, ...acceptedBy }];
}

/** Asks before `up` begins another project: the receipt will tell of the new one only, so that the old one would run on unseen. */
export function formerQuestions(
  project: string,
  former: FormerDeployment | undefined,
  confirmed: boolean | undefined,
): PlanQuestion[] {
  if (former === undefined) return [];
  const question = { kind: "former-project", name: "former-project", text: formerText(project, former) } as const;
  return [confirmed ? { ...question, acceptedBy: "--yes" } : question];
}

/** The same for a plan that stops at an error, which the old project may be the cause of: its ports are often those of the new one. */
export function formerFindings(project: string, former: FormerDeployment | undefined): Finding[] {
  if (former === undefined) return [];
  const fix = `./deploy down --project ${former.project} removes it; its data stays`;
  return [{ code: "D067", severity: "warning", message: formerText(project, former), fix }];
}

function formerText(project: string, former: FormerDeployment): string {
  return `this folder deployed project ${former.project} before, which still runs (${former.names.join(", ")}); up starts ${project} beside it`;
}
