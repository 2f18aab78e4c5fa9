import type { DeployConfig } from "../config/config.ts";
import type { Container } from "../containers/container.ts";
import { type PrivilegeChange, privilegeKey } from "../privileges/privilege.ts";
import type { AcceptName, PlanQuestion } from "./plan.ts";

/**
 * One question for each kind of host-level privilege that nobody has accepted yet, and who accepts it if somebody does.
 * That a container holds it already is no acceptance: only a verified deployment from here is.
 */
export function hostQuestions(
  privileges: readonly PrivilegeChange[],
  verified: readonly Pick<PrivilegeChange, "service" | "kind" | "detail">[],
  config: DeployConfig,
  accept: readonly AcceptName[],
): PlanQuestion[] {
  const known = new Set(verified.map(privilegeKey));
  const gained = privileges
    .filter(({ change, consent }) => change !== "lost" && consent !== undefined)
    .filter((privilege) => privilege.change === "gained" || !known.has(privilegeKey(privilege)));
  const names = [...new Set(gained.flatMap(({ consent }) => consent ?? []))];
  return names.map((name) => {
    const holders = gained
      .filter(({ consent }) => consent === name)
      .map(({ service, kind, detail }) => `${service}: ${kind} ${detail}`);
    const written = config.accept.find(({ privilege }) => privilege === name);
    const acceptedBy = written
      ? `deploy.config.yaml: ${written.reason}`
      : accept.includes(name)
        ? `--accept ${name}`
        : undefined;
    return {
      kind: "host-privilege",
      name,
      text: holders.join("; "),
      ...(acceptedBy === undefined ? {} : { acceptedBy }),
    };
  });
}

/** Labels by which a sandbox is a project's: its gateway sets the first, the guard the second. */
const sandboxLabels = ["sandbox-deploy.project", "sandbox-deploy.guard"];

/** Asks about sandboxes that no label ties to the project: by its name alone a container may be somebody else's. */
export function foreignQuestions(project: string, sandboxes: readonly Container[]): PlanQuestion[] {
  const names = sandboxes
    .filter(({ ownLabels }) => !sandboxLabels.some((label) => ownLabels[label] === project))
    .map(({ name }) => name);
  if (names.length === 0) return [];
  const text = `nothing but the beginning of their names says that these containers are sandboxes of ${project}: ${names.join(", ")}`;
  return [{ kind: "foreign-containers", name: "containers", text }];
}
