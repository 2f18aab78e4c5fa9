import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { asPlugin, composeProgram } from "../support/compose-program.ts";

const compose = composeProgram();

/** The root of the checkout. */
export const root = resolve(import.meta.dirname, "../..");

/** The overlays that each mode adds to the base, by file name in compose/; aio has two ways to the engine. */
export const overlaysOf = {
  local: [],
  aio: ["docker-compose.dood.yaml"],
  "aio-raw": ["docker-compose.dood-raw.yaml"],
  provisioner: ["docker-compose.provisioner.yaml"],
} as const;

/** A sandbox mode of the default stack. */
export type Mode = keyof typeof overlaysOf;

/** The overlays of each kind of TLS; without one the front door is plain HTTP. */
export const tlsOverlaysOf = {
  internal: ["docker-compose.prod-tls.yaml"],
  acme: ["docker-compose.prod-tls.yaml", "docker-compose.prod-tls-acme.yaml"],
  files: ["docker-compose.prod-tls.yaml", "docker-compose.prod-tls-files.yaml"],
} as const;

/** One way to deploy the default stack. */
export interface Combination {
  readonly mode: Mode;
  readonly cliAuth: boolean;
  /** The value of BIND_HOST; undefined where it is not set. */
  readonly bindHost: string | undefined;
  readonly tls?: keyof typeof tlsOverlaysOf;
}

/** Every mode with and without the login overlay, for every kind of exposure. */
export const combinations: readonly Combination[] = (["local", "aio", "aio-raw", "provisioner"] as const).flatMap(
  (mode) =>
    [false, true].flatMap((cliAuth): Combination[] => [
      ...[undefined, "127.0.0.1", "0.0.0.0", "::1"].map((bindHost) => ({ mode, cliAuth, bindHost })),
      // An address for plain HTTP must not matter here.
      ...(["internal", "acme", "files"] as const).map((tls) => ({ mode, cliAuth, tls, bindHost: "127.0.0.1" })),
    ]),
);

/** How a combination is called in a failure. */
export function nameOf({ mode, cliAuth, bindHost, tls }: Combination): string {
  return `${mode}${cliAuth ? "+cli-auth" : ""}${tls === undefined ? "" : `+tls-${tls}`} BIND_HOST=${bindHost ?? "(unset)"}`;
}

const volume = z.object({
  type: z.string(),
  source: z.string(),
  target: z.string(),
  read_only: z.boolean().default(false),
  bind: z.object({ create_host_path: z.boolean().default(false) }).optional(),
});

const service = z.looseObject({
  image: z.string(),
  user: z.string().optional(),
  build: z.object({ dockerfile: z.string(), args: z.record(z.string(), z.string()).default({}) }).optional(),
  profiles: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(volume).default([]),
  secrets: z.array(z.object({ source: z.string(), target: z.string() })).default([]),
  networks: z.record(z.string(), z.unknown()).default({}),
  network_mode: z.string().optional(),
  ports: z
    .array(
      z.object({ host_ip: z.string().optional(), published: z.string(), target: z.number(), protocol: z.string() }),
    )
    .default([]),
  group_add: z.array(z.string()).default([]),
  extra_hosts: z.array(z.string()).default([]),
  tmpfs: z.array(z.string()).default([]),
  read_only: z.boolean().optional(),
  privileged: z.boolean().optional(),
  cap_drop: z.array(z.string()).default([]),
  cap_add: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  mem_limit: z.string().optional(),
  memswap_limit: z.string().optional(),
  cpus: z.number().optional(),
  pids_limit: z.number().optional(),
  restart: z.string().optional(),
  stop_grace_period: z.string().optional(),
  healthcheck: z.looseObject({ test: z.array(z.string()), disable: z.boolean().default(false) }).optional(),
  logging: z.object({ driver: z.string(), options: z.record(z.string(), z.string()) }).optional(),
});

/** A service of the merged model. */
export type Service = z.infer<typeof service>;

const extensionSchema = z.object({
  secrets: z
    .record(z.string(), z.object({ value: z.string(), file: z.string().optional(), bytes: z.number() }))
    .default({}),
});

/** What all extensions of the model together say about secrets; each file has one of its own name. */
export function generatedSecrets(model: Model): z.infer<typeof extensionSchema>["secrets"] {
  const own = Object.entries(model).filter(([name]) => name.startsWith("x-sandbox-deploy"));
  return Object.assign({}, ...own.map(([, value]) => extensionSchema.parse(value).secrets));
}

const modelSchema = z.looseObject({
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.looseObject({ internal: z.boolean().default(false) })),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
});

/** The merged model as Compose prints it, with the checkout and the home replaced by `<checkout>` and `~`. */
export type Model = z.infer<typeof modelSchema>;

/** Asks Compose for the merged model in an environment of PATH and HOME; `settings` are the lines of its .env, `more` further files. */
export async function composeModel(
  combination: Combination,
  settings: readonly string[] = [],
  more: readonly string[] = [],
): Promise<Model> {
  const home = await mkdtemp(join(tmpdir(), "compose-model-"));
  try {
    const lines = [
      ...(combination.bindHost === undefined ? [] : [`BIND_HOST=${combination.bindHost}`]),
      ...(combination.mode === "provisioner" ? ["PROVISIONER_IMAGE=registry.example/provisioner:1.2.3"] : []),
      ...(combination.tls === undefined ? [] : [`PUBLIC_TLS=${combination.tls}`, "PUBLIC_DOMAIN=agents.example"]),
      ...settings,
    ];
    await writeFile(join(home, "env"), lines.map((line) => `${line}\n`).join(""));
    const names = [
      "docker-compose.yaml",
      ...overlaysOf[combination.mode],
      ...(combination.tls === undefined ? [] : tlsOverlaysOf[combination.tls]),
      ...(combination.cliAuth ? ["docker-compose.cli-auth.yaml"] : []),
    ];
    const { stdout } = await promisify(execFile)(
      compose,
      [
        ...["compose", "--env-file", join(home, "env"), "--profile", "*"],
        ...names.flatMap((name) => ["-f", join(root, "compose", name)]),
        ...more.flatMap((path) => ["-f", path]),
        ...["config", "--format", "json"],
      ],
      { env: { ...asPlugin, PATH: process.env["PATH"] ?? "", HOME: home } },
    );
    return modelSchema.parse(JSON.parse(stdout.replaceAll(home, "~").replaceAll(root, "<checkout>")));
  } finally {
    await rm(home, { recursive: true });
  }
}
