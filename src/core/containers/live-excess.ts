import type { Finding } from "../findings/finding.ts";
import { type ConsentName, type Privilege, privilegeKey } from "../privileges/privilege.ts";
import { type NamedSecret, shownSecrets } from "../secrets/shown-secrets.ts";
import type { EnforcedLimits } from "../stack/limits.ts";
import type { Container } from "./container.ts";
import { type Allowance, deviations } from "./deviations.ts";
import { type SandboxAllowance, sandboxDeviations } from "./sandbox-allowance.ts";

/** A container and what it holds. */
export interface Held {
  readonly container: Container;
  readonly privileges: readonly Privilege[];
}

/** What containers are held against. */
export interface Planned {
  readonly privileges: readonly Pick<Privilege, "service" | "kind" | "detail">[];
  /** The services that may have containers. */
  readonly services: readonly string[];
  /** By service; one without an entry is held against its privileges alone. */
  readonly allowances: ReadonlyMap<string, Partial<Allowance>>;
  /** How many containers each service is to have, where that is known. */
  readonly replicas: ReadonlyMap<string, number>;
  readonly sandbox: SandboxAllowance | undefined;
  /** In what a sandbox goes beyond the guard's policy, by its id, as the guard's own program says. */
  readonly verdicts: ReadonlyMap<string, string>;
  readonly enforced: EnforcedLimits;
  readonly secrets: readonly NamedSecret[];
  /** What the files themselves show of secrets, as `SERVICE PLACE NAME`. */
  readonly shown: ReadonlySet<string>;
}

/** One thing that a container has or is beyond the plan. */
export interface Excess {
  readonly container: Container;
  /** As what the container does: `runs as root instead of 1000`. */
  readonly what: string;
  readonly consent?: ConsentName;
  readonly secret?: true;
}

/** Everything in which running containers and sandboxes go beyond the plan. */
export function excesses(held: readonly Held[], planned: Planned): Excess[] {
  const granted = new Set(planned.privileges.map(privilegeKey));
  return held.flatMap(({ container, privileges }) => {
    const found = excessesOf(container, privileges, held, planned, granted);
    const verdict = planned.verdicts.get(container.id);
    // What is told already in the words of this tool need not be told in those of the guard.
    return found.length > 0 || verdict === undefined ? found : [{ container, what: verdict }];
  });
}

function excessesOf(
  container: Container,
  privileges: readonly Privilege[],
  held: readonly Held[],
  planned: Planned,
  granted: ReadonlySet<string>,
): Excess[] {
  return [
    ...unplannedService(container, planned),
    ...privileges
      .filter((privilege) => !granted.has(privilegeKey(privilege)) && counts(privilege, planned.sandbox))
      .map(({ kind, detail, consent }) => ({
        ...{ container, what: `holds more than planned: ${kind} ${detail}` },
        ...(consent === undefined ? {} : { consent }),
      })),
    ...confinement(container, planned).map((what) => ({ container, what })),
    ...shownSecrets(container, planned.secrets)
      .filter(({ place, name }) => !planned.shown.has(`${container.service} ${place} ${name}`))
      .map(({ place, name }): Excess => ({ container, what: `shows the secret ${name} in ${place}`, secret: true })),
    ...replicas(container, held, planned),
  ];
}

/** The platform chooses what a sandbox gets, unless its settings are known: then what is beyond them counts too. */
function counts({ service, kind, consent }: Privilege, allowed: SandboxAllowance | undefined): boolean {
  if (service !== "sandbox" || consent !== undefined) return true;
  if (allowed === undefined) return false;
  // Capabilities and networks are compared by name.
  if (allowed.made !== undefined) return kind !== "capability" && kind !== "foreign-network";
  if (kind === "published-port") return !allowed.ports;
  return kind === "host-bind" && !allowed.binds;
}

function unplannedService(container: Container, { services }: Planned): Excess[] {
  const { service, project } = container;
  if (service === undefined ? project === undefined : services.includes(service)) return [];
  return [{ container, what: "belongs to no service of the deployment" }];
}

function confinement(container: Container, { allowances, sandbox, enforced }: Planned): string[] {
  if (container.service === undefined)
    return sandbox === undefined || container.project !== undefined
      ? []
      : sandboxDeviations(container, sandbox, enforced);
  const allowed = allowances.get(container.service);
  return allowed === undefined ? [] : deviations(container, allowed, enforced);
}

/** Told once, with the last of the containers. */
function replicas(container: Container, held: readonly Held[], planned: Planned): Excess[] {
  const mine = held.filter((each) => each.container.service === container.service && container.service !== undefined);
  const most = planned.replicas.get(container.service ?? "");
  if (most === undefined || mine.length <= most || mine.at(-1)?.container !== container) return [];
  return [{ container, what: `is one of ${mine.length} containers of ${container.service} where ${most} should be` }];
}

/** Which containers must not go on running: what reaches the host and nobody accepted. */
export function reachingHost(found: readonly Excess[]): Container[] {
  return [...new Set(found.flatMap(({ container, consent }) => (consent === undefined ? [] : [container])))];
}

/** An error for each excess, that names the container and what to do. */
export function excessFindings(found: readonly Excess[], stopped: readonly Container[]): Finding[] {
  return found.map(({ container, what, secret }) => ({
    code: secret ? "D076" : "D072",
    severity: "error",
    message: `${container.name} ${what}${stopped.includes(container) ? "; it was stopped" : ""}`,
    fix: secret ? secretFix : fixOf(container),
  }));
}

const secretFix =
  "everybody who may list containers reads it there: hand it over in a file or a variable, and change it, since it was seen";

function fixOf({ service, project, name }: Container): string {
  if (service !== undefined)
    return "find out where that comes from, in the Compose files or from somebody's hand; ./deploy up makes the container anew as planned";
  return project === undefined
    ? `a sandbox may not have that: docker rm --force ${name}, and look at who starts sandboxes`
    : `somebody started it under the project's name: docker rm --force ${name}, or ./deploy up, which removes it`;
}
