import type { DeployConfig } from "../config/config.ts";
import type { Container } from "../containers/container.ts";
import type { Excess } from "../containers/live-excess.ts";
import { outgrownSandboxes } from "../containers/outgrown-sandboxes.ts";
import { exposuresOf } from "../credentials/exposure.ts";
import { handChanges } from "../drift/hand-changes.ts";
import type { Finding } from "../findings/finding.ts";
import { privilegesOfContainers } from "../privileges/live-privileges.ts";
import { type Privilege, type PrivilegeChange, sortedPrivileges } from "../privileges/privilege.ts";
import { diffPrivileges } from "../privileges/privilege-diff.ts";
import { appliedUnseen, privilegesOfModel, withDeclaredNetworks } from "../privileges/privileges.ts";
import { planExposure } from "../public/exposure.ts";
import { type ComposeModel, networkName } from "../stack/model.ts";
import { buildProfile, relativePath, type Stack } from "../stack/stack.ts";
import type { Facts } from "./facts.ts";
import type { AcceptName, Plan, PlanQuestion } from "./plan.ts";
import { foreignFindings, formerFindings, formerQuestions } from "./plan-foreign.ts";
import { type ImageOptions, planImages } from "./plan-images.ts";
import { foreignQuestions, hostQuestions } from "./plan-questions.ts";
import { startSteps } from "./plan-starts.ts";
import type { Step } from "./plan-steps.ts";

/** Flags of `up` and `plan` that change what is planned. */
export interface UpOptions extends ImageOptions {
  readonly accept: readonly AcceptName[];
  /** Whether questions that are not about the host are answered with yes. */
  readonly confirmed?: boolean;
}

/** Decides what `up` does: pure, so that what is shown is what is applied. */
export function planUp(config: DeployConfig, facts: Facts, stack: Stack, options: UpOptions): Plan {
  const services = activeServices(facts, stack);
  const after = privilegesOfModel(facts.model, facts.context, services);
  const privileges = diffPrivileges(heldNow(facts, after), after);
  const images = planImages(facts, stack, services, options);
  const findings = [
    ...facts.findings.map((finding) => accepted(finding, options.accept)),
    ...foreignFindings(stack.project, facts.foreign, options.accept),
    ...nameFindings(config, facts, stack, services),
    ...images.findings,
  ];
  const { lent, detection } = stack;
  const ground = { config, model: facts.model, services, privileges: after, findings: facts.findings };
  const imagesAreKept = detection.because.rule === "recorded";
  const exposed = planExposure({ ...ground, imagesAreKept }, facts.exposed, options.confirmed ?? false);
  const credentials = lent && exposuresOf(lent, facts.context.home, detection.mode, config.platform.service);
  const halfMade = halfMadeReplacements(facts.containers);
  const standing = { ...facts, containers: facts.containers.filter((each) => !halfMade.includes(each)) };
  const stops = findings.some(({ severity }) => severity === "error");
  const starts = startSteps(standing, services, { fresh: images.fresh, unplanned: unplannedOf(privileges) });
  const outgrown = outgrownSandboxes(config, facts, stack, starts).filter(
    ({ container }) => !isUnguarded(container, stack),
  );
  return {
    ...{ mode: detection.mode, because: detection.because, project: stack.project },
    ...{ root: facts.context.projectRoot, composeFiles: stack.files },
    ...(facts.deployed?.of === undefined ? {} : { rolledBackTo: facts.deployed.of }),
    services: services.filter((name) => facts.model.services[name]?.provider === undefined),
    privileges,
    ...(credentials === undefined ? {} : { credentials }),
    ...(exposed.exposure === undefined ? {} : { exposure: exposed.exposure }),
    drift: handChanges(facts.containers, facts.deployed),
    steps: [
      ...preparation(facts),
      ...images.steps,
      // Containers have these mounted: where an image cannot be had, they stay what the running ones were started with.
      ...mountedFiles(facts),
      ...removals(standing, stack, services),
      // With both of them there Compose removes the one while it names the other after it, and fails.
      ...(halfMade.length > 0 ? [removeContainers(halfMade, "made to replace another one that is still there")] : []),
      ...starts,
      ...outgrownSteps(outgrown),
      ...leftovers(facts, stack),
    ],
    findings: [...findings, ...exposed.findings, ...(stops ? formerFindings(stack.project, facts.former) : [])],
    questions: [
      ...hostQuestions(privileges, facts.applied, config, options.accept).map((each) =>
        withContents(each, credentials),
      ),
      ...sandboxQuestions(facts, stack, outgrown, options),
      ...exposed.questions,
      ...formerQuestions(stack.project, facts.former, options.confirmed),
    ],
  };
}

/** Who is asked about the operator's files sees what is in the directories among them. */
function withContents(question: PlanQuestion, credentials: Plan["credentials"] = []): PlanQuestion {
  const contents = credentials.flatMap((each) =>
    each.contents === undefined ? [] : [`${each.name}: ${each.contents}`],
  );
  return question.name === "host-files" && contents.length > 0 ? { ...question, contents } : question;
}

/** What is wrong and may be accepted stays in sight as a warning. */
function accepted(finding: Finding, accept: readonly string[]): Finding {
  const { acceptName } = finding;
  return acceptName === undefined || !accept.includes(acceptName) ? finding : { ...finding, severity: "warning" };
}

/** What the containers hold, and of what only a model can show (providers, hooks, builds), what was applied before. */
function heldNow({ containers, context, model, applied }: Facts, after: readonly Privilege[]): readonly Privilege[] {
  const held = privilegesOfContainers(containers, withDeclaredNetworks(context, model));
  return sortedPrivileges([...held, ...appliedUnseen(applied, after)]);
}

/** What the containers of each service hold by themselves and the model does not grant; a guard goes with its own container. */
function unplannedOf(privileges: readonly PrivilegeChange[]): ReadonlyMap<string, readonly string[]> {
  const lost = privileges.filter(({ change, kind }) => change === "lost" && kind !== "sandbox-operations");
  return new Map(
    lost.map(({ service }) => [
      service,
      lost.filter((each) => each.service === service).map(({ kind, detail }) => `${kind} ${detail}`),
    ]),
  );
}

/** The services that really start: those of the model that no other mode owns and that are not scaled to zero. */
function activeServices({ model }: Facts, stack: Stack): string[] {
  return Object.entries(model.services)
    .filter(([name, { replicas }]) => replicas !== 0 && !stack.excluded.includes(name))
    .map(([name]) => name);
}

function nameFindings(config: DeployConfig, { model }: Facts, stack: Stack, services: readonly string[]): Finding[] {
  const named = { "platform.service": config.platform.service, "compose.proxy": config.compose.proxy };
  const fix = `the services are ${Object.keys(model.services).join(", ")}`;
  const unknown = Object.entries(named)
    .filter(([, service]) => !(service in model.services))
    .map(([key, service]): Finding => {
      const message = `${key} names the service ${service}, which the Compose files do not have`;
      return { code: "D033", severity: "warning", message, fix };
    });
  return [...unknown, ...services.flatMap((service) => dependencyFindings(service, model, stack))];
}

/** Compose starts what a service depends on, even if that is optional and was not asked for. */
function dependencyFindings(service: string, model: ComposeModel, stack: Stack): Finding[] {
  const dependencies = Object.entries(model.services[service]?.dependsOn ?? {});
  const unstarted = dependencies.filter(([name, { required }]) => required && name in model.buildServices);
  const excluded = dependencies.filter(([name]) => stack.excluded.includes(name) && name in model.services);
  return [
    ...unstarted.map(
      ([name]): Finding => ({
        code: "D032",
        severity: "error",
        message: `${service} depends on ${name}, whose profile ${buildProfile} keeps it from starting; Compose refuses that`,
        fix: `take the dependency away, or the profile from ${name}`,
      }),
    ),
    ...excluded.map(
      ([name]): Finding => ({
        code: "D012",
        severity: "error",
        message: `${service} depends on ${name}, which compose.onlyIn keeps out of ${stack.detection.mode} mode; Compose would start it all the same`,
        fix: `take the dependency away in an overlay (depends_on: !override), or take ${name} out of compose.onlyIn`,
      }),
    ),
  ];
}

function preparation(facts: Facts): Step[] {
  const shown = (path: string) => relativePath(facts.context.projectRoot, path);
  const steps: Step[] = facts.seeds.map((seed) => {
    return { kind: "seed-file", why: seed.why, seed, name: shown(seed.to), template: shown(seed.from) };
  });
  if (facts.missingSecrets.length > 0) {
    steps.push({
      kind: "generate-secrets",
      why: "the stack needs them and the environment file has no value",
      names: facts.missingSecrets,
    });
  }
  return steps;
}

function mountedFiles(facts: Facts): Step[] {
  const steps: Step[] = [];
  if (facts.staleSecretFiles.length > 0) {
    steps.push({
      kind: "write-secret-files",
      why: "containers read these secrets from files",
      names: facts.staleSecretFiles,
    });
  }
  if (facts.staleGuardPolicy)
    steps.push({ kind: "write-guard-policy", why: "the guard reads from a file what it lets through" });
  if (facts.staleTlsFiles)
    steps.push({ kind: "write-tls-files", why: "the proxy reads certificates and accounts from files" });
  return steps;
}

/** Containers that this stack no longer has: services of another mode, and sandboxes when no gateway starts them any more. */
function removals(facts: Facts, stack: Stack, services: readonly string[]): Step[] {
  const steps: Step[] = [];
  const isZero = ({ service = "" }: Container) =>
    facts.model.services[service]?.replicas === 0 && !stack.excluded.includes(service);
  // Compose would remove what has no service as well, without saying so.
  const left = facts.containers.filter(({ service }) => service === undefined || !services.includes(service));
  const idle = left.filter(isZero);
  const unknown = left.filter(({ service }) => service === undefined);
  const foreign = left.filter((container) => container.service !== undefined && !isZero(container));
  if (unknown.length > 0)
    steps.push(removeContainers(unknown, "somebody started it under the project's name; it belongs to no service"));
  if (foreign.length > 0)
    steps.push(removeContainers(foreign, `not part of the stack in ${stack.detection.mode} mode`));
  if (idle.length > 0) steps.push(removeContainers(idle, "their service is scaled to zero"));
  return steps;
}

/** Once whoever made these sandboxes is another one, so that there are no more of them. */
function outgrownSteps(outgrown: readonly Excess[]): Step[] {
  if (outgrown.length === 0) return [];
  const containers = [...new Set(outgrown.map(({ container }) => container))];
  const whatOf = (sandbox: Container) =>
    outgrown.flatMap(({ container, what }) => (container === sandbox ? [what] : []));
  const why = containers.map((sandbox) => `${sandbox.name} ${whatOf(sandbox).join(", ")}`).join("; ");
  return [removeContainers(containers, `made under other settings: ${why}`)];
}

/** What can go only once the services no longer use it: sandboxes when no gateway starts them any more, networks of another mode. */
function leftovers({ containers, sandboxes, model, networks }: Facts, stack: Stack): Step[] {
  const steps: Step[] = [];
  if (sandboxes.length > 0 && stack.detection.mode !== "aio") {
    steps.push(removeSandboxes(sandboxes, `sandboxes of aio mode; the stack is now in ${stack.detection.mode} mode`));
  }
  const unguarded = sandboxes.filter((sandbox) => isUnguarded(sandbox, stack));
  if (unguarded.length > 0)
    steps.push(removeContainers(unguarded, "sandboxes from before the guard, which does not know them"));
  const known = Object.keys(model.networks).map((key) => networkName(model, key));
  const attached = new Set(containers.flatMap((container) => container.networks));
  const names = networks.filter((name) => attached.has(name) && !known.includes(name));
  if (names.length > 0) {
    steps.push({
      kind: "remove-networks",
      why: `the stack has no such network in ${stack.detection.mode} mode`,
      names,
    });
  }
  return steps;
}

/** Made by this project's gateway with the raw socket: nobody could stop it any more. */
function isUnguarded({ ownLabels }: Container, { guardPolicy, project, detection }: Stack): boolean {
  const mine = ownLabels["sandbox-deploy.project"] === project;
  return detection.mode === "aio" && guardPolicy !== undefined && mine && ownLabels["sandbox-deploy.guard"] !== project;
}

/** Sandboxes are removed that the stack no longer has or gives so much; those that only their name tells of may be somebody else's. */
function sandboxQuestions(
  { sandboxes }: Facts,
  stack: Stack,
  outgrown: readonly Excess[],
  { confirmed }: UpOptions,
): PlanQuestion[] {
  const removed = stack.detection.mode === "aio" ? new Set(outgrown.map(({ container }) => container)) : sandboxes;
  const questions = foreignQuestions(stack.project, [...removed]);
  return confirmed ? questions.map((question) => ({ ...question, acceptedBy: "--yes" })) : questions;
}

/** A step that removes sandboxes, shown by name. */
export function removeSandboxes(sandboxes: readonly Container[], why: string): Step {
  return { kind: "remove-sandboxes", why, names: sandboxes.map(({ name }) => name) };
}

function removeContainers(containers: readonly Container[], why: string): Step {
  return {
    kind: "remove-containers",
    why,
    names: containers.map(({ name }) => name),
    ids: containers.map(({ id }) => id),
  };
}

/**
 * What a Compose that was killed has left: a replacement is named after the id of what it replaces, and gets its own name once
 * that one is gone.
 */
function halfMadeReplacements(containers: readonly Container[]): Container[] {
  return containers.filter(({ name, service }) => {
    const [, replaced] = /^([0-9a-f]{12})_/.exec(name) ?? [];
    return (
      replaced !== undefined && containers.some((each) => each.service === service && each.id.startsWith(replaced))
    );
  });
}
