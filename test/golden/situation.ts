import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { type ConfigFile, type DeployConfig, parseConfig } from "../../src/core/config/config.ts";
import { parseContainers } from "../../src/core/containers/container.ts";
import { detectMode } from "../../src/core/detect/detect.ts";
import { type Detection, modes } from "../../src/core/detect/mode.ts";
import type { Finding, Outcome } from "../../src/core/findings/finding.ts";
import { findingCodes } from "../../src/core/findings/finding-codes.ts";
import type { Facts } from "../../src/core/plan/facts.ts";
import type { UpOptions } from "../../src/core/plan/plan-up.ts";
import { privilegeKinds } from "../../src/core/privileges/privilege.ts";
import { exposureItems, exposureLevels } from "../../src/core/public/exposure-items.ts";
import { allEnforced } from "../../src/core/stack/limits.ts";
import { parseModel } from "../../src/core/stack/model.ts";
import { parseImageSettings } from "../../src/core/stack/program-settings.ts";
import {
  composeFiles,
  excludedServices,
  hasGuard,
  localImageVariables,
  type Stack,
  territoryOf,
} from "../../src/core/stack/stack.ts";

const root = "/srv/agents";
const home = "/home/operator";

const stacks = [...modes, "aio-raw"] as const;
const textMap = z.record(z.string(), z.string());
const tree = z.record(z.string(), z.unknown());
const findingCode = z.custom<Finding["code"]>((value) => typeof value === "string" && value in findingCodes);

const givenSchema = z.strictObject({ model: tree, hashes: textMap, images: textMap, containers: z.array(tree) });

/** What a case's facts.yaml may say; all but `stack` or `model` has an ordinary value when it is left out. */
const factsSchema = z.strictObject({
  stack: z.enum(stacks).optional().describe("The default stack of this mode is what Compose merges."),
  model: tree.optional().describe("Merged over the model of `stack`, or the whole model."),
  hashes: textMap.default({}).describe("Compose's hashes, over those of `stack`."),
  images: z.record(z.string(), z.string().nullable()).optional().describe("Over those of `stack`; null: not there."),
  imageSettings: z.record(z.string(), tree).default({}).describe("The `Config` of an image, by its id."),
  deployed: z
    .strictObject({
      time: z.string(),
      containers: z.array(z.string()).default([]),
      hashes: textMap.default({}),
      shapes: z
        .array(
          z.strictObject({
            service: z.string(),
            imageId: z.string(),
            limits: z.record(z.string(), z.number()).default({}),
            networks: z.array(z.string()).default([]),
            restart: z.string().default("no"),
          }),
        )
        .default([]),
    })
    .optional()
    .describe("The last deployment from here."),
  running: z.enum(stacks).optional().describe("The containers of the default stack of this mode are there."),
  containers: z.array(tree).default([]).describe("`docker inspect`; one that `running` brings is changed by its Name."),
  sandboxes: z.array(tree).default([]),
  /** In what sandboxes go beyond the guard's policy, by id. */
  verdicts: z.record(z.string(), z.string()).default({}),
  foreign: z
    .array(z.strictObject({ files: z.array(z.string()), names: z.array(z.string()), gone: z.boolean() }))
    .default([])
    .describe("Containers of the project that another folder deployed."),
  former: z.strictObject({ project: z.string(), names: z.array(z.string()) }).optional(),
  engine: z
    .strictObject({
      volumes: z.array(z.object({ name: z.string(), options: textMap.default({}), project: z.string().optional() })),
      networks: z.record(z.string(), z.object({ driver: z.string().optional(), project: z.string().optional() })),
    })
    .default({ volumes: [], networks: {} })
    .describe("Volumes and networks that are there, by the project that made them."),
  networks: z.array(z.string()).default([]).describe("The project's, where a container is on one that is not known."),
  applied: z.array(z.object({ service: z.string(), kind: z.enum(privilegeKinds), detail: z.string() })).default([]),
  exposed: z
    .strictObject({ level: z.enum(exposureLevels), failed: z.array(z.enum(exposureItems)).optional() })
    .optional()
    .describe("How exposed the stack was at the last deployment."),
  environment: textMap.default({}).describe("The gateway's environment, for `$NAME` in config.yaml."),
  seeds: z.array(z.object({ from: z.string(), to: z.string(), mode: z.number(), why: z.string() })).default([]),
  missingSecrets: z.array(z.string()).default([]),
  staleSecretFiles: z.array(z.string()).default([]),
  staleGuardPolicy: z.boolean().default(false),
  staleTlsFiles: z.boolean().default(false),
  outdatedPins: z.boolean().default(false),
  findings: z
    .array(
      z.object({
        code: findingCode,
        severity: z.enum(["error", "warning", "info"]),
        message: z.string(),
        fix: z.string(),
      }),
    )
    .default([]),
  options: z
    .strictObject({
      build: z.enum(["always", "never", "missing"]).optional(),
      pull: z.enum(["always", "never", "missing"]).optional(),
      accept: z
        .array(
          z.enum(["host-root", "host-network", "host-files", "foreign-project", "weak-secret", "database-password"]),
        )
        .optional(),
    })
    .default({}),
});
type GivenFacts = z.output<typeof factsSchema>;

/** Everything that `planUp` takes, or why no mode was found. */
export type Situation =
  | { readonly ok: false; readonly findings: readonly Finding[] }
  | {
      readonly ok: true;
      readonly config: DeployConfig;
      readonly facts: Facts;
      readonly stack: Stack;
      readonly options: UpOptions;
      readonly findings: readonly Finding[];
    };

/** Reads a case's folder as `deploy plan` reads the world. */
export function readSituation(folder: string): Situation {
  const given = factsSchema.parse(parse(text(folder, "facts.yaml")));
  const file = must(parseConfig({ file: "deploy.config.yaml", text: text(folder, "deploy.config.yaml") }));
  const { config } = file;
  const detected = detect(file, folder, given);
  if (!detected.ok) return detected;
  const { options, findings, environment: _, ...rest } = given;
  const territory = territoryOf(config, `${root}/deploy.config.yaml`, home);
  const { mode } = detected.value;
  const images = config.compose.images ?? "registry";
  const files = composeFiles(config, mode, territory, root, home);
  return {
    ok: true,
    config,
    facts: { ...factsOf(rest, folder), findings },
    stack: {
      project: config.project,
      detection: detected.value,
      files,
      envPath: territory.envPath,
      images,
      variables: images === "local" ? localImageVariables("0.1.0") : {},
      excluded: excludedServices(config, mode),
      ...(hasGuard(files, root) ? { guardPolicy: "" } : {}),
    },
    options: { build: options.build ?? "missing", pull: options.pull ?? "missing", accept: options.accept ?? [] },
    findings: detected.findings,
  };
}

function detect({ config, positionOf }: ConfigFile, folder: string, given: GivenFacts): Outcome<Detection> {
  const { mode } = config.sandbox;
  const at = `deploy.config.yaml:${positionOf(["sandbox", "mode"]).line ?? 1}`;
  return detectMode({
    rules: config.platform.detection,
    config: { file: "config.yaml", text: text(folder, "config.yaml") },
    environment: new Map(Object.entries(given.environment)),
    ...(mode === "auto" ? {} : { forced: { mode, at } }),
  });
}

function factsOf(
  given: Omit<GivenFacts, "options" | "findings" | "environment">,
  folder: string,
): Omit<Facts, "findings"> {
  const stack = given.stack && readGiven(folder, given.stack);
  const running = given.running ? readGiven(folder, given.running).containers : [];
  const images = Object.entries({ ...stack?.images, ...given.images });
  return {
    model: must(parseModel(merge(stack?.model ?? {}, given.model ?? {}))),
    hashes: new Map(Object.entries({ ...stack?.hashes, ...given.hashes })),
    images: new Map(images.flatMap(([name, id]) => (id === null ? [] : [[name, id] as const]))),
    containers: must(parseContainers(mergeByName(running, given.containers))),
    sandboxes: must(parseContainers(given.sandboxes)),
    verdicts: new Map(Object.entries(given.verdicts)),
    sandboxImages: { remembered: {}, guard: undefined },
    context: {
      ...{ projectRoot: root, home, cgroupVersion: 2, volumes: given.engine.volumes },
      networks: new Map(
        Object.entries(given.engine.networks).map(([name, { driver, project }]) => [name, { driver, project }]),
      ),
    },
    foreign: given.foreign,
    former: given.former,
    networks: given.networks,
    applied: given.applied,
    exposed: given.exposed && { level: given.exposed.level, failed: given.exposed.failed },
    rereads: undefined,
    imageSettings: new Map(
      Object.entries(given.imageSettings).flatMap(([id, config]) => {
        const settings = parseImageSettings(config);
        return settings === undefined ? [] : [[id, settings] as const];
      }),
    ),
    deployed: given.deployed,
    enforced: allEnforced,
    busyPorts: [],
    seeds: given.seeds,
    missingSecrets: given.missingSecrets,
    staleSecretFiles: given.staleSecretFiles,
    staleGuardPolicy: given.staleGuardPolicy,
    staleTlsFiles: given.staleTlsFiles,
    outdatedPins: given.outdatedPins,
  };
}

function readGiven(folder: string, name: string): z.output<typeof givenSchema> {
  return givenSchema.parse(parse(text(folder, `../given/${name}.yaml`)));
}

type Tree = Readonly<Record<string, unknown>>;

/** Maps are merged key by key, anything else is replaced. */
function merge(base: Tree, over: Tree): Tree {
  const isTree = (value: unknown): value is Tree =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  const changed = Object.entries(over).map(([key, value]): [string, unknown] => {
    const old = base[key];
    return [key, isTree(old) && isTree(value) ? merge(old, value) : value];
  });
  return { ...base, ...Object.fromEntries(changed) };
}

function mergeByName(base: readonly Tree[], over: readonly Tree[]): Tree[] {
  const changed = base.map((each) => merge(each, over.find(({ Name }) => Name === each["Name"]) ?? {}));
  return [...changed, ...over.filter(({ Name }) => !base.some((each) => each["Name"] === Name))];
}

function text(folder: string, name: string): string {
  const path = join(folder, name);
  if (!existsSync(path)) throw new Error(`the case has no ${name}`);
  return readFileSync(path, "utf8");
}

function must<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(outcome.findings.map(({ message }) => message).join("\n"));
  return outcome.value;
}
