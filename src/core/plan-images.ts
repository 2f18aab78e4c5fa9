import type { Facts } from "./facts.ts";
import type { Finding } from "./finding.ts";
import type { ComposeModel } from "./model.ts";
import type { Step } from "./plan-steps.ts";
import type { Stack } from "./stack.ts";

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
  const steps = [
    ...(options.build === "never" ? [] : buildSteps(toBuild, stack, options)),
    ...(options.pull === "never" ? [] : pullSteps(toPull, options.pull)),
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
function buildSteps(toBuild: readonly NeededImage[], stack: Stack, options: ImageOptions): Step[] {
  const why = options.build === "always" ? "--build was given" : notHere;
  const local = stack.images === "local" ? Object.values(stack.variables) : [];
  const made = [...new Set(toBuild.map(({ image }) => image).filter((image) => local.includes(image)))];
  const services = toBuild.filter(({ image }) => !local.includes(image)).map(({ service }) => service);
  return [
    ...(made.length > 0 ? [{ kind: "make-local-images", why, images: made } satisfies Step] : []),
    ...(services.length > 0 ? [{ kind: "build", why, services, pull: options.pull === "always" } satisfies Step] : []),
  ];
}

function pullSteps(toPull: readonly NeededImage[], policy: "missing" | "always"): Step[] {
  if (toPull.length === 0) return [];
  const why = policy === "always" ? "--pull always was given" : notHere;
  return [{ kind: "pull", why, services: toPull.map(({ service }) => service), policy }];
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
