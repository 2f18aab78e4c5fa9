import type { Container } from "../containers/container.ts";
import type { ForeignDeployment } from "../containers/origin.ts";
import type { Privilege } from "../privileges/privilege.ts";
import { diffPrivileges } from "../privileges/privilege-diff.ts";
import type { AcceptName, Plan, PlanQuestion } from "./plan.ts";
import { foreignProjectQuestions } from "./plan-foreign.ts";
import { foreignQuestions } from "./plan-questions.ts";
import type { Step } from "./plan-steps.ts";
import { removeSandboxes } from "./plan-up.ts";

/** What `down` found on the engine, by the project's name alone. */
export interface DownFacts {
  readonly project: string;
  readonly containers: readonly Container[];
  readonly sandboxes: readonly Container[];
  /** Those that another folder deployed. */
  readonly foreign: readonly ForeignDeployment[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  /** What the containers and sandboxes hold. */
  readonly privileges: readonly Privilege[];
}

/** What the flags of `down` say. */
export interface DownOptions {
  readonly volumes: boolean;
  /** Whether questions are answered with yes, but for those that are accepted by name. */
  readonly confirmed: boolean;
  readonly accept?: readonly AcceptName[];
}

/** Decides what `down` removes; it needs no configuration, so a broken one cannot keep a stack alive. */
export function planDown(facts: DownFacts, options: DownOptions): Plan {
  const steps: Step[] = [];
  const running = facts.containers.length + facts.networks.length > 0;
  if (facts.sandboxes.length > 0) {
    steps.push(removeSandboxes(facts.sandboxes, "sandboxes that the gateway started; Compose does not know them"));
  }
  const volumes = options.volumes ? facts.volumes : [];
  if (running || volumes.length > 0) {
    steps.push({ kind: "remove-project", why: "down was asked for", project: facts.project, volumes });
  }
  const acceptance = options.confirmed ? { acceptedBy: "--yes" } : {};
  const plain = [...dataQuestions(volumes), ...foreignQuestions(facts.project, facts.sandboxes)];
  const questions = [
    ...foreignProjectQuestions(facts.project, facts.foreign, options.accept ?? []),
    ...plain.map((question) => ({ ...question, ...acceptance })),
  ];
  return {
    mode: undefined,
    because: undefined,
    project: facts.project,
    composeFiles: [],
    services: [...new Set(facts.containers.flatMap(({ service }) => service ?? []))],
    privileges: diffPrivileges(facts.privileges, []),
    steps,
    findings: [],
    questions,
  };
}

function dataQuestions(volumes: readonly string[]): PlanQuestion[] {
  if (volumes.length === 0) return [];
  const text = `the data in ${volumes.join(", ")} will be deleted and cannot be brought back`;
  return [{ kind: "data-loss", name: "volumes", text }];
}
