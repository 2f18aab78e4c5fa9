import { configSchema, type DeployConfig } from "../../../src/core/config/config-schema.ts";
import type { Container } from "../../../src/core/containers/container.ts";
import type { Mode } from "../../../src/core/detect/mode.ts";
import type { Facts } from "../../../src/core/plan/facts.ts";
import type { Plan } from "../../../src/core/plan/plan.ts";
import type { Step } from "../../../src/core/plan/plan-steps.ts";
import { planUp, type UpOptions } from "../../../src/core/plan/plan-up.ts";
import { allEnforced } from "../../../src/core/stack/limits.ts";
import type { Stack } from "../../../src/core/stack/stack.ts";
import { host, modelOf } from "../../support/granted.ts";
import { containersOf, type InspectedParts, inspected } from "../../support/inspected.ts";

/** What differs from a stack of the services `gateway` and `proxy` that runs as it should. */
export interface Case extends Partial<Omit<Facts, "model" | "hashes" | "images">> {
  readonly services?: Record<string, unknown>;
  /** Other top-level keys of the model. */
  readonly model?: Record<string, unknown>;
  readonly hashes?: Record<string, string>;
  readonly images?: Record<string, string>;
  readonly config?: Record<string, unknown>;
  readonly mode?: Mode;
  readonly stack?: Partial<Stack>;
  readonly options?: Partial<UpOptions>;
}

/** Services without anything of note, each by its name. */
export const ordinary = { gateway: { image: "demo:1" }, proxy: { image: "demo:1" } };

/** A container of a service, made from the configuration `h` and the image `sha256:1`. */
export function container(service: string, parts: InspectedParts & { hash?: string; number?: number } = {}): Container {
  const { hash = "h", number = 1, labels = {}, ...rest } = parts;
  const [made] = containersOf(
    inspected({
      Id: `${service}-${number}`,
      Name: `/demo-${service}-${number}`,
      labels: {
        "com.docker.compose.project": "demo",
        "com.docker.compose.service": service,
        "com.docker.compose.config-hash": hash,
        "com.docker.compose.container-number": String(number),
        ...labels,
      },
      ...rest,
    }),
  );
  if (!made) throw new Error("no container was made");
  return made;
}

/** The configuration with every default. */
export function configOf(parts: Record<string, unknown> = {}): DeployConfig {
  return configSchema.parse({ version: 1, ...parts });
}

/** The plan of `up` for a case. */
export function planFor(parts: Case = {}): Plan {
  const { facts, stack } = situationOf(parts);
  return planUp(configOf(parts.config), facts, stack, {
    ...{ build: "missing", pull: "missing", accept: [] },
    ...parts.options,
  });
}

/** The facts and the stack of a case. */
export function situationOf({ services = ordinary, config: _, mode = "local", stack, options: __, ...rest }: Case): {
  facts: Facts;
  stack: Stack;
} {
  const names = Object.keys(services);
  const facts: Facts = {
    containers: names.map((name) => container(name)),
    sandboxes: [],
    verdicts: new Map(),
    sandboxImages: { remembered: {}, guard: undefined },
    foreign: [],
    former: undefined,
    networks: [],
    context: host,
    applied: [],
    rereads: undefined,
    imageSettings: new Map(),
    deployed: undefined,
    enforced: allEnforced,
    busyPorts: [],
    seeds: [],
    missingSecrets: [],
    staleSecretFiles: [],
    staleGuardPolicy: false,
    staleTlsFiles: false,
    outdatedPins: false,
    findings: [],
    ...rest,
    model: modelOf({
      services: onDefaultNetwork(services),
      networks: { default: { name: "demo_default" } },
      ...rest.model,
    }),
    hashes: new Map(Object.entries({ ...Object.fromEntries(names.map((name) => [name, "h"])), ...rest.hashes })),
    images: new Map(Object.entries(rest.images ?? { "demo:1": "sha256:1" })),
  };
  const detection = { mode, because: { text: "a test says so", rule: "test" } };
  const full: Stack = {
    project: "demo",
    detection,
    files: ["/srv/demo/compose.yaml"],
    envPath: "/srv/demo/.env",
    images: "registry",
    variables: {},
    excluded: [],
    ...stack,
  };
  return { facts, stack: full };
}

/** As Compose prints services that name no network. */
function onDefaultNetwork(services: Record<string, unknown>): Record<string, unknown> {
  const placed = Object.entries(services).map(([name, service]): [string, unknown] => {
    const isPlaced =
      typeof service !== "object" || service === null || "networks" in service || "network_mode" in service;
    return [name, isPlaced ? service : { ...service, networks: { default: null } }];
  });
  return Object.fromEntries(placed);
}

/** The steps of one kind. */
export function stepsOf<K extends Step["kind"]>({ steps }: Plan, kind: K): Extract<Step, { kind: K }>[] {
  return steps.filter((step): step is Extract<Step, { kind: K }> => step.kind === kind);
}

/** What is started, each as `kind service: why`, with `!` where it is forced. */
export function starts(plan: Plan): string[] {
  return stepsOf(plan, "start").flatMap(({ services, recreate }) =>
    services.map(({ kind, service, why }) => `${recreate ? "!" : ""}${kind} ${service}: ${why}`),
  );
}
