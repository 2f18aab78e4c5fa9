import type { Container } from "../containers/container.ts";
import { isFinished } from "../containers/health.ts";
import { changeOf, handChangeOf } from "../drift/changed-services.ts";
import { sharedServices } from "../drift/drift.ts";
import { guardService } from "../stack/guard-policy.ts";
import { type ComposeModel, type ComposeService, networkName } from "../stack/model.ts";
import type { Facts } from "./facts.ts";
import type { ServiceStart, Step } from "./plan-steps.ts";

interface Decision {
  readonly start: ServiceStart;
  /** Compose sees no difference, or cannot start the container as it is: recreation has to be forced. */
  readonly forced: boolean;
}

/** Brings every service to what the model says. Forced recreation is a step of its own, so that it hits nobody else. */
export function startSteps(facts: Facts, services: readonly string[], given: StartReasons): Step[] {
  const decisions = withSharers(
    services.flatMap((service) => decide(service, facts, given) ?? []),
    services,
    facts.model,
  );
  return [true, false].flatMap((recreate): Step[] => {
    const starts = decisions.filter(({ forced }) => forced === recreate).map(({ start }) => start);
    return starts.length === 0 ? [] : [{ kind: "start", why: reasons(starts), services: starts, recreate }];
  });
}

/** What planning found out before about why services must start anew. */
export interface StartReasons {
  /** Services whose image is made or pulled. */
  readonly fresh: readonly string[];
  /** What containers hold beyond the model, in words. */
  readonly unplanned: ReadonlyMap<string, readonly string[]>;
}

/** Whoever shares namespaces or volumes of a container that is made anew has to be made anew after it. */
function withSharers(decisions: readonly Decision[], services: readonly string[], model: ComposeModel): Decision[] {
  const isNew = (name: string, { start }: Decision) =>
    start.service === name && ["recreate", "create"].includes(start.kind);
  const found = services.flatMap((service): Decision[] => {
    const own = decisions.find(({ start }) => start.service === service);
    if (own?.start.kind === "recreate" || own?.start.kind === "create") return [own];
    const modelled = model.services[service];
    const partner = modelled && sharedServices(modelled).find((name) => decisions.some((each) => isNew(name, each)));
    if (partner === undefined) return own ? [own] : [];
    const why = `it shares what ${partner} has, whose container is made anew`;
    return [{ start: { service, kind: "recreate", why }, forced: false }];
  });
  // One that shares with a sharer follows in the next round.
  const count = (list: readonly Decision[]) => list.filter(({ start }) => start.kind === "recreate").length;
  return count(found) === count(decisions) ? found : withSharers(found, services, model);
}

function reasons(starts: readonly ServiceStart[]): string {
  const whys = [...new Set(starts.map(({ why }) => why))];
  if (starts.length === 1) return whys.join();
  const holders = (why: string) => starts.flatMap((start) => (start.why === why ? [start.service] : [])).join(", ");
  return whys.map((why) => `${holders(why)}: ${why}`).join("; ");
}

/** What must happen to one service, or undefined when its containers are right as they are. */
function decide(service: string, facts: Facts, { fresh, unplanned }: StartReasons): Decision | undefined {
  const modelled = facts.model.services[service];
  if (!modelled) return undefined;
  const decision = (kind: ServiceStart["kind"], why: string, forced = false): Decision => ({
    start: { service, kind, why },
    forced,
  });
  if (modelled.provider !== undefined)
    return wasProvided(service, facts) ? undefined : decision("create", "its provider has not run from here");
  const mine = facts.containers.filter((container) => container.service === service);
  if (mine.length === 0) return decision("create", "it has no container yet");
  if (facts.rereads === service) return decision("recreate", "the platform's configuration file changed", true);
  if (service === guardService && pinsOutdated(facts, fresh))
    return decision("recreate", "the image that it lets run has changed since it started", true);
  const changed = changeOf(service, mine, facts, fresh);
  if (changed !== undefined) return decision("recreate", changed.why, changed.forced);
  if (readsStaleSecret(modelled, facts))
    return decision("recreate", "a secret that it reads from a file changed", true);
  const stuck = mine.find(({ state }) => stuckStates.includes(state.status));
  if (stuck) return decision("recreate", `its container is ${stuck.state.status}`, true);
  const network = missingNetwork(mine, modelled, facts.model);
  if (network !== undefined) return decision("recreate", `its container is not on the network ${network}`, true);
  const byHand = handChangeOf(service, mine, facts, unplanned.get(service) ?? []);
  if (byHand !== undefined) return decision("recreate", byHand.why, byHand.forced);
  if (mine.length !== modelled.replicas)
    return decision("scale", `it has ${containers(mine.length)} where ${modelled.replicas} should be`);
  const stopped = mine.find((container) => !isAsWanted(container, modelled));
  return stopped && decision("start", stateText(stopped));
}

/** The guard knows images by the ids that they had when it started. */
function pinsOutdated({ outdatedPins, model }: Facts, fresh: readonly string[]): boolean {
  return outdatedPins || fresh.some((name) => name in model.builtImages);
}

/** An interrupted Compose leaves containers on the first of their networks only, and later starts them as they are. */
function missingNetwork(
  mine: readonly Container[],
  { networks, networkMode }: ComposeService,
  model: ComposeModel,
): string | undefined {
  if (networkMode !== undefined) return undefined;
  const wanted = networks.map((key) => networkName(model, key));
  return wanted.find((name) => mine.some((container) => !container.networks.includes(name)));
}

/** The engine refuses to start a paused container, and a dead one cannot be started again. */
const stuckStates: readonly string[] = ["paused", "dead"];

/** Starting an unhealthy or crashing container again would change nothing: verification tells what is wrong with it. */
function isAsWanted(container: Container, { healthcheck }: ComposeService): boolean {
  const { status } = container.state;
  if (status === "running" || status === "restarting") return true;
  const isServer = healthcheck !== undefined && !healthcheck.disable;
  return !isServer && isFinished(container);
}

function stateText({ state }: Container): string {
  return state.status === "exited"
    ? `its container ended with exit code ${state.exitCode}`
    : `its container is ${state.status}`;
}

function containers(count: number): string {
  return `${count} container${count === 1 ? "" : "s"}`;
}

/** A provider leaves no container: only what was applied last tells that it ran. */
function wasProvided(service: string, { applied }: Facts): boolean {
  return applied.some((privilege) => privilege.service === service && privilege.kind === "host-program");
}

function readsStaleSecret({ secrets }: ComposeService, facts: Facts): boolean {
  const stale = facts.staleSecretFiles.map((name) => facts.model.generatedSecrets[name]?.file);
  return secrets.some(({ source }) => stale.includes(source));
}
