import type { DeployConfig } from "./config.ts";
import type { Container } from "./container.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./finding.ts";
import { privilegesOfContainers } from "./live-privileges.ts";
import type { Plan, PlanQuestion } from "./plan.ts";
import type { ServiceStart, Step } from "./plan-steps.ts";
import { type ConsentName, type Privilege, type PrivilegeChange, privilegeKey, sortedPrivileges } from "./privilege.ts";
import { diffPrivileges } from "./privilege-diff.ts";
import { isModelOnly, privilegesOfModel } from "./privileges.ts";
import type { Stack } from "./stack.ts";

/** Flags of `up` and `plan` that change what is planned. */
export interface UpOptions {
  readonly build: "always" | "never" | "missing";
  readonly pull: "missing" | "always" | "never";
  readonly accept: readonly ConsentName[];
}

/** Decides what `up` does: pure, so that what is shown is what is applied. */
export function planUp(config: DeployConfig, facts: Facts, stack: Stack, options: UpOptions): Plan {
  const services = activeServices(facts, stack);
  const after = privilegesOfModel(facts.model, facts.context, services);
  const privileges = diffPrivileges(heldNow(facts, after), after);
  const images = imageSteps(facts, stack, services, options);
  return {
    mode: stack.detection.mode,
    because: stack.detection.because,
    project: stack.project,
    composeFiles: stack.files,
    services,
    privileges,
    steps: [
      ...preparation(facts),
      ...images.steps,
      ...removals(facts, stack, services),
      ...starts(facts, stack, services, images.fresh),
    ],
    findings: [...facts.findings, ...images.findings],
    questions: hostQuestions(privileges, config, options.accept),
  };
}

/** What the containers hold, and of what only a model can show (providers, hooks, builds), what was applied before. */
function heldNow({ containers, context, applied }: Facts, after: readonly Privilege[]): readonly Privilege[] {
  const keys = new Set(applied.map(privilegeKey));
  const unseen = after.filter((privilege) => isModelOnly(privilege) && keys.has(privilegeKey(privilege)));
  return sortedPrivileges([...privilegesOfContainers(containers, context), ...unseen]);
}

/** The services that really start: those of the model that no other mode owns. */
export function activeServices(facts: Facts, stack: Stack): string[] {
  return Object.keys(facts.model.services).filter((name) => !stack.excluded.includes(name));
}

function preparation(facts: Facts): Step[] {
  const steps: Step[] = facts.seeds.map((seed) => ({ kind: "seed-file", why: seed.why, seed }));
  if (facts.missingSecrets.length > 0) {
    steps.push({
      kind: "generate-secrets",
      why: "the stack needs them and the environment file has no value",
      names: facts.missingSecrets,
    });
  }
  if (facts.staleSecretFiles.length > 0) {
    steps.push({
      kind: "write-secret-files",
      why: "containers read these secrets from files",
      names: facts.staleSecretFiles,
    });
  }
  return steps;
}

interface ImageDecision {
  readonly steps: readonly Step[];
  readonly findings: readonly Finding[];
  /** Services whose image will be made or pulled, so that their container is replaced if the image differs. */
  readonly fresh: readonly string[];
}

/** Every image that must be present, by the service that stands for it: running ones and those only built. */
function neededImages(
  facts: Facts,
  services: readonly string[],
): { service: string; image: string; buildable: boolean }[] {
  const running = services.flatMap((service) => {
    const { image, build } = facts.model.services[service] ?? {};
    return [{ service, image: image ?? `${facts.model.name}-${service}`, buildable: build !== undefined }];
  });
  const built = Object.entries(facts.model.builtImages).map(([service, image]) => ({
    service,
    image,
    buildable: true,
  }));
  return [...running, ...built];
}

function imageSteps(facts: Facts, stack: Stack, services: readonly string[], options: UpOptions): ImageDecision {
  const needed = neededImages(facts, services);
  const missing = needed.filter(({ image }) => !facts.images.has(image));
  const forced = options.build === "always";
  const toBuild = needed.filter((each) => each.buildable && (forced || missing.includes(each)));
  const toPull = needed.filter((each) => !each.buildable && (options.pull === "always" || missing.includes(each)));
  const why = forced ? "--build was given" : "these images are not on this machine";
  const steps: Step[] = [];
  const findings: Finding[] = [];
  if (toBuild.length > 0 && options.build === "never") {
    findings.push(
      ...toBuild.map(({ service, image }) =>
        missingImage(service, image, "run without --no-build, or run ./deploy build first"),
      ),
    );
  } else if (toBuild.length > 0 && stack.images === "local") {
    steps.push({ kind: "make-local-images", why, images: toBuild.map(({ image }) => image) });
  } else if (toBuild.length > 0) {
    steps.push({
      kind: "build",
      why,
      services: toBuild.map(({ service }) => service),
      pull: options.pull === "always",
    });
  }
  if (toPull.length > 0 && options.pull === "never") {
    findings.push(...toPull.map(({ service, image }) => missingImage(service, image, "run with --pull missing")));
  } else if (toPull.length > 0) {
    const policy = options.pull === "always" ? "always" : "missing";
    steps.push({
      kind: "pull",
      why: policy === "always" ? "--pull always was given" : why,
      services: toPull.map(({ service }) => service),
      policy,
    });
  }
  return { steps, findings, fresh: [...toBuild, ...toPull].map(({ service }) => service) };
}

function missingImage(service: string, image: string, fix: string): Finding {
  return {
    code: "D050",
    severity: "error",
    message: `the image ${image} of service ${service} is not on this machine`,
    fix,
  };
}

/** Containers that this stack no longer has: services of another mode, and sandboxes when no gateway starts them any more. */
function removals(facts: Facts, stack: Stack, services: readonly string[]): Step[] {
  const steps: Step[] = [];
  const left = facts.containers.filter(({ service }) => service !== undefined && !services.includes(service));
  if (left.length > 0) steps.push(removeContainers(left, `not part of the stack in ${stack.detection.mode} mode`));
  if (facts.sandboxes.length > 0 && stack.detection.mode !== "aio") {
    steps.push(
      removeContainers(facts.sandboxes, `sandboxes of aio mode; the stack is now in ${stack.detection.mode} mode`),
    );
  }
  return steps;
}

/** A step that removes containers by id, shown by name. */
export function removeContainers(containers: readonly Container[], why: string): Step {
  return {
    kind: "remove-containers",
    why,
    names: containers.map(({ name }) => name),
    ids: containers.map(({ id }) => id),
  };
}

function starts(facts: Facts, stack: Stack, services: readonly string[], fresh: readonly string[]): Step[] {
  const changed = services.flatMap((service) => startOf(service, facts, stack.project, fresh) ?? []);
  if (changed.length === 0) return [];
  const why = changed.map(({ service, why }) => `${service}: ${why}`).join("; ");
  return [{ kind: "start", why, services: changed, recreate: changed.some(({ why }) => why === secretChanged) }];
}

const secretChanged = "a secret that it reads from a file changed";

/** What must happen to one service, or undefined when its container is right as it is. */
function startOf(service: string, facts: Facts, project: string, fresh: readonly string[]): ServiceStart | undefined {
  const mine = facts.containers.filter((container) => container.service === service);
  const [container] = mine;
  if (!container) return { service, kind: "create", why: `${project} has no container for it` };
  const recreate = (why: string): ServiceStart => ({ service, kind: "recreate", why });
  if (mine.some(({ configHash }) => configHash !== facts.hashes.get(service)))
    return recreate("its configuration changed");
  const image = facts.model.services[service]?.image;
  const imageId = image === undefined ? undefined : facts.images.get(image);
  if (fresh.includes(service)) return recreate("its image is made or pulled anew");
  if (imageId !== undefined && mine.some((each) => each.imageId !== imageId)) return recreate("its image changed");
  if (readsStaleSecret(service, facts)) return recreate(secretChanged);
  if (mine.some(({ state }) => state.status !== "running"))
    return { service, kind: "start", why: `its container is ${container.state.status}` };
  return undefined;
}

function readsStaleSecret(service: string, facts: Facts): boolean {
  const { secrets = [] } = facts.model.services[service] ?? {};
  const stale = facts.staleSecretFiles.map((name) => facts.model.generatedSecrets[name]?.file);
  return secrets.some(({ source }) => stale.includes(source));
}

/** One question for each kind of host-level privilege that is newly gained. */
function hostQuestions(
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
