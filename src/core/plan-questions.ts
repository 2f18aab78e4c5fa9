import type { DeployConfig } from "./config.ts";
import type { PlanQuestion } from "./plan.ts";
import type { ConsentName, PrivilegeChange } from "./privilege.ts";

/** One question for each kind of host-level privilege that is newly gained, and who accepted it if somebody did. */
export function hostQuestions(
  privileges: readonly PrivilegeChange[],
  config: DeployConfig,
  accept: readonly ConsentName[],
): PlanQuestion[] {
  const gained = privileges.filter(({ change, consent }) => change === "gained" && consent !== undefined);
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
