import "../schema-settings.ts";
import * as z from "zod";
import { credentialsSchema } from "../credentials/credential-schema.ts";
import { detectionRulesSchema } from "../detect/detection-rules.ts";
import { modes } from "../detect/mode.ts";
import { consentNames } from "../privileges/privilege.ts";
import { exposureItems, exposureName } from "../public/exposure-items.ts";
import { publicSchema } from "../public/public-schema.ts";
import { guardPresets } from "../stack/guard-policy.ts";
import { projectNamePattern, projectNameRule } from "./project-name.ts";

const path = z.string().min(1);

const platform = z.strictObject({
  config: path
    .default("config.yaml")
    .describe(
      "The platform's own configuration file, from which the sandbox mode is read. Created from a template on the first up.",
    ),
  service: z
    .string()
    .min(1)
    .default("gateway")
    .describe("The Compose service that reads that file and runs agent code."),
  detection: detectionRulesSchema
    .default("deer-flow")
    .describe("How the mode follows from the file: a built-in set, or rules of your own."),
});

const docker = z.strictObject({
  access: z
    .enum(["guarded", "raw"])
    .default("guarded")
    .describe(
      "How the gateway reaches Docker in aio mode. guarded lets only sandbox operations through; raw mounts the host's socket, which equals root on the host and needs consent.",
    ),
  guard: z
    .looseObject({
      preset: z
        .enum(guardPresets)
        .default("default")
        .describe("The policy to start from, by its name in templates/guard/."),
    })
    .prefault({})
    .describe(
      "What the guard lets through: a preset, and beside it any keys of a policy, which take the place of the preset's. ./deploy guard policy prints the result.",
    ),
  socket: path.default("/var/run/docker.sock").describe("The host's Docker socket, used in aio mode only."),
});

const sandbox = z.strictObject({
  mode: z
    .enum(["auto", ...modes])
    .default("auto")
    .describe("auto reads the mode from the platform's configuration; local, aio and provisioner force it."),
  docker: docker.prefault({}).describe("Access to Docker in aio mode."),
  namePrefix: z
    .string()
    .min(5)
    .regex(/[-_]$/, "a prefix that ends in - or _, so that it ends where a name's next part begins")
    .optional()
    .describe(
      "Names of sandbox containers that the platform starts itself begin with this (at least 5 characters, the last one - or _); down removes them, and asks before it does.",
    ),
  kubeconfig: path
    .default("~/.kube/config")
    .describe("The one kubeconfig file that provisioner mode hands to the provisioner, read-only."),
});

const overlays = z.strictObject({
  always: z.array(path).default([]).describe("Overlays added in every mode."),
  local: z.array(path).optional().describe("Overlays added in local mode."),
  aio: z.array(path).optional().describe("Overlays added in aio mode."),
  provisioner: z.array(path).optional().describe("Overlays added in provisioner mode."),
});

const compose = z.strictObject({
  base: path
    .optional()
    .describe("The base Compose file. Left out, the default stack that comes with the tool is deployed."),
  overlays: overlays
    .prefault({})
    .describe("Compose files that grant one capability each, by mode. The default stack brings its own."),
  proxy: z.string().min(1).default("proxy").describe("The service that publishes the front door."),
  onlyIn: z
    .partialRecord(z.enum(modes), z.array(z.string().min(1)))
    .default({})
    .describe("Services of the base file that run only in the named mode."),
  envFile: path
    .default(".env")
    .describe("The environment file. Missing secrets are generated into it; what it holds is never overwritten."),
  images: z
    .enum(["registry", "local"])
    .optional()
    .describe(
      "registry builds on published base images; local uses images that scripts/build-images.sh makes from Debian packages. Left out, what was deployed last stays.",
    ),
});

const health = z.strictObject({
  waitSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(180)
    .describe("Seconds that up waits for every service to become healthy."),
  settleSeconds: z
    .int()
    .min(0)
    .max(3600)
    .default(8)
    .describe("Seconds that a container must have run without a restart before up believes that it works."),
  path: z
    .string()
    .startsWith("/")
    .default("/health")
    .describe("The path that up asks through the published port at the end."),
});

const history = z.strictObject({
  keep: z
    .int()
    .min(1)
    .max(1000)
    .default(10)
    .describe(
      "How many good deployments .deploy/history keeps, each with its images, and as many that failed or went back. The one that runs and the last good one always stay.",
    ),
});

const accepted = z.strictObject({
  privilege: z
    .enum([...consentNames, exposureName, ...exposureItems])
    .describe(
      "What is accepted: a host-level privilege, the exposure of the stack, or something that does not hold while it is exposed.",
    ),
  reason: z.string().min(10).describe("Why this stack may have it, for whoever reads the plan."),
});

/** The schema of deploy.config.yaml; every field's description is its documentation. */
export const configSchema = z.strictObject({
  version: z.literal(1).describe("The version of this file's format."),
  project: z
    .string()
    .regex(projectNamePattern, projectNameRule)
    .default("sandbox-deploy")
    .describe("The Compose project name: everything this tool starts carries it."),
  platform: platform.prefault({}).describe("The agent platform that is deployed."),
  sandbox: sandbox.prefault({}).describe("Where model-written code runs."),
  compose: compose.prefault({}).describe("The Compose files and the environment."),
  public: publicSchema.prefault({}).describe("How the stack is reached from outside."),
  credentials: credentialsSchema
    .prefault({})
    .describe("Logins of command-line agents that the platform may use, each with the least exposure that does."),
  health: health.prefault({}).describe("When a deployment counts as done."),
  history: history.prefault({}).describe("What is kept of earlier deployments."),
  accept: z
    .array(accepted)
    .default([])
    .describe("What needs no question: host-level privileges, and what is wrong with a stack that others reach."),
});

/** The configuration with every default filled in. */
export type DeployConfig = z.infer<typeof configSchema>;
