import type { DeployConfig } from "../config/config.ts";
import type { Finding } from "../findings/finding.ts";
import { privilegesOfBuilds } from "../privileges/build-privileges.ts";
import { diffPrivileges } from "../privileges/privilege-diff.ts";
import { appliedUnseen } from "../privileges/privileges.ts";
import type { ComposeModel } from "../stack/model.ts";
import type { Stack } from "../stack/stack.ts";
import type { Facts } from "./facts.ts";
import type { AcceptName, Plan } from "./plan.ts";
import { hostQuestions } from "./plan-questions.ts";
import type { Step } from "./plan-steps.ts";

/** How images may be obtained: `--build` or `--no-build`, and `--pull`. */
export interface ImageOptions {
  readonly build: "always" | "never" | "missing";
  readonly pull: "missing" | "always" | "never";
}

/** What is done about images before anything is stopped. */
export interface ImagePlan {
  readonly steps: readonly Step[];
  readonly findings: readonly Finding[];
  /** Services whose image will be made or pulled, so that their container is replaced if the image differs. */
  readonly fresh: readonly string[];
}

interface NeededImage {
  readonly service: string;
  readonly image: string;
  readonly buildable: boolean;
}

/** The image of a service by the name that Compose gives it; undefined where the model has no such service. */
export function imageOf(model: ComposeModel, service: string): string | undefined {
  const found = model.services[service];
  return found && (found.image ?? `${model.name}-${service}`);
}

/** Decides which images are built, made or pulled, or refuses where one is missing and that is forbidden. */
export function planImages(facts: Facts, stack: Stack, services: readonly string[], options: ImageOptions): ImagePlan {
  const needed = neededImages(facts.model, services);
  const isMissing = ({ image }: NeededImage) => !facts.images.has(image);
  const ownImages = new Set(needed.filter(({ buildable }) => buildable).map(({ image }) => image));
  const toBuild = needed.filter((each) => each.buildable && (options.build === "always" || isMissing(each)));
  // An image that another service builds is in no registry.
  const toPull = needed.filter((each) => !ownImages.has(each.image) && (options.pull === "always" || isMissing(each)));
  const buildWhy = options.build === "always" ? "--build was given" : notHere;
  const pullWhy = options.pull === "always" ? "--pull always was given" : notHere;
  const steps = [
    ...(options.build === "never" ? [] : buildSteps(toBuild, stack, buildWhy, options.pull === "always")),
    ...(options.pull === "never" ? [] : pullSteps(toPull, pullWhy, options.pull)),
  ];
  const findings = [
    ...(options.build === "never" ? toBuild.map(unbuilt) : []),
    ...(options.pull === "never" ? toPull.map(unpulled) : []),
  ];
  const made = new Set([...toBuild, ...toPull].map(({ image }) => image));
  return { steps, findings, fresh: needed.filter(({ image }) => made.has(image)).map(({ service }) => service) };
}

/** Every image that must be present, by the service that stands for it: running ones and those only built. */
function neededImages(model: ComposeModel, services: readonly string[]): NeededImage[] {
  const running = services.flatMap((service): NeededImage[] => {
    const image = imageOf(model, service);
    const { build, provider } = model.services[service] ?? {};
    return image === undefined || provider !== undefined ? [] : [{ service, image, buildable: build !== undefined }];
  });
  const built = Object.entries(model.builtImages)
    .filter(([service]) => !services.includes(service))
    .map(([service, image]) => ({ service, image, buildable: true }));
  return [...running, ...built];
}

const notHere = "not on this machine";

/** Only images of the default stack can be made from packages: an overlay's own are built as usual. */
function buildSteps(toBuild: readonly NeededImage[], stack: Stack, why: string, pull: boolean): Step[] {
  const local = stack.images === "local" ? Object.values(stack.variables) : [];
  const made = [...new Set(toBuild.map(({ image }) => image).filter((image) => local.includes(image)))];
  const services = toBuild.filter(({ image }) => !local.includes(image)).map(({ service }) => service);
  return [
    ...(made.length > 0 ? [{ kind: "make-local-images", why, images: made } satisfies Step] : []),
    ...(services.length > 0 ? [{ kind: "build", why, services, pull } satisfies Step] : []),
  ];
}

function pullSteps(toPull: readonly NeededImage[], why: string, policy: "missing" | "always"): Step[] {
  return toPull.length === 0 ? [] : [{ kind: "pull", why, services: toPull.map(({ service }) => service), policy }];
}

/** What only keeps a stack from starting: a busy port, a missing socket or kubeconfig, a bind source, an empty export. */
const startOnly: readonly Finding["code"][] = ["D045", "D046", "D047", "D048", "D062"];

/** The findings that concern images: whoever builds or pulls may well do so beside a stack that still holds the port. */
export function imageFindings({ findings }: Facts): Finding[] {
  return findings.filter(({ code }) => !startOnly.includes(code));
}

/** What obtaining images on request does: the same decisions as in an `up`, without its start. */
export type ImageRequest = Pick<Plan, "services" | "steps" | "privileges" | "questions">;

/** Plans the builds of these services, or of all that can be built, and asks for what a build is granted on the host. */
export function planBuild(
  config: DeployConfig,
  { model, applied, context }: Facts,
  stack: Stack,
  asked: readonly string[],
  accept: readonly AcceptName[],
): ImageRequest {
  const chosen = requested(model, asked).filter(({ buildable }) => buildable);
  const services = chosen.map(({ service }) => service);
  const after = privilegesOfBuilds(model, services, context);
  const privileges = diffPrivileges(appliedUnseen(applied, after), after);
  return {
    services,
    steps: buildSteps(chosen, stack, "build was asked for", false),
    privileges,
    questions: hostQuestions(privileges, applied, config, accept),
  };
}

/** Plans the pull of what these services, or all of them, use and do not build. To pull grants nothing. */
export function planPull({ model }: Facts, asked: readonly string[]): ImageRequest {
  const chosen = requested(model, asked).filter(({ buildable }) => !buildable);
  const steps = pullSteps(chosen, "pull was asked for", "always");
  return { services: chosen.map(({ service }) => service), steps, privileges: [], questions: [] };
}

function requested(model: ComposeModel, asked: readonly string[]): NeededImage[] {
  const all = neededImages(model, Object.keys(model.services));
  return asked.length === 0 ? all : all.filter(({ service }) => asked.includes(service));
}

function unbuilt(needed: NeededImage): Finding {
  return missingImage(needed, "run without --no-build, or run ./deploy build first");
}

function unpulled(needed: NeededImage): Finding {
  return missingImage(needed, "run with --pull missing, or run ./deploy pull first");
}

function missingImage({ service, image }: NeededImage, fix: string): Finding {
  return {
    code: "D050",
    severity: "error",
    message: `the image ${image} of service ${service} is not on this machine`,
    fix,
  };
}
