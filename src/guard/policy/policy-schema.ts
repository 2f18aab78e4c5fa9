import * as z from "zod";
import { capabilityName, grantableCapabilities } from "../model/capabilities.ts";
import { isCleanPath } from "../model/clean-path.ts";
import { canonicalReference } from "../model/image-reference.ts";
import { patternProblem } from "./policy-pattern.ts";
import { parseBinaryBytes, parseDecimalBytes } from "./units.ts";

const word = (pattern: RegExp, what: string) => z.string().regex(pattern, `has to be ${what}`);

/** A pattern; what it means follows when the owner is known, whom it may name. */
const patternText = z
  .string()
  .min(1)
  .max(500)
  .superRefine((text, context) => {
    const problem = patternProblem(text);
    if (problem !== undefined) context.addIssue({ code: "custom", message: `is no pattern: ${problem}` });
  });

const count = (least: number, most: number) => z.int().min(least).max(most);

/** A size such as `512m`, or a number of bytes. */
const size = (parse: (text: string) => number | undefined, least: number) =>
  z.union([z.string(), z.int()]).transform((value, context) => {
    const bytes = parse(String(value));
    if (bytes !== undefined && bytes >= least) return bytes;
    context.addIssue({ code: "custom", message: `has to be a size such as 512m, and at least ${least} bytes` });
    return z.NEVER;
  });

const port = count(1, 65_535);

// Where the engine, the kernel or the system itself lives: whoever may mount below has the host.
const systemPaths =
  /^\/(?:bin|boot|dev|etc|lib\w*|proc|run|sbin|sys|usr|var\/run|var\/lib\/(?:docker|containerd)|root|home)(?:\/|$)/;
const wholeTree = /^\/(?:var|var\/lib|opt|srv|mnt|media|tmp|data)$/;

const root = z
  .string()
  .refine(isCleanPath, 'has to be an absolute path, without "." and ".." and no slash at its end')
  .refine((path) => !isSystemPath(path), "is a directory of the system; whoever may mount below it has the host")
  .refine((path) => !wholeTree.test(path), "holds more than one program's files; name a directory below it");

function isSystemPath(path: string): boolean {
  // Below the directory of a user, but not that directory itself.
  return systemPaths.test(path) && !/^\/(?:home\/[^/]+|root)\/./.test(path);
}

const mountable = { target: patternText, readOnly: z.boolean().default(false) };

const referenceText = z
  .string()
  .refine((text) => canonicalReference(text) !== undefined, "has to be a reference such as name:tag or name@sha256:…");

const capability = z
  .string()
  .transform(capabilityName)
  .refine(
    (name) => grantableCapabilities.includes(name),
    `has to be one of ${grantableCapabilities.join(", ")}; others are ways to the host`,
  );

const blockingActions = [
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_KILL",
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_KILL_THREAD",
  "SCMP_ACT_TRAP",
];

/** A profile in Docker's format, written out in the policy; only one that blocks what it does not name is one. */
const seccomp = z.union([
  z.literal("default"),
  z
    .looseObject({ defaultAction: z.string(), syscalls: z.array(z.looseObject({ action: z.string() })) })
    .refine(({ defaultAction }) => blockingActions.includes(defaultAction), {
      path: ["defaultAction"],
      message: "has to block what the profile does not name, for instance with SCMP_ACT_ERRNO",
    }),
]);

const memory = (least: number) => size(parseBinaryBytes, least);
const mebibyte = 1024 * 1024;

const limits = z
  .strictObject({
    memory: memory(6 * mebibyte).prefault("512m"),
    cpus: z.number().min(0.01).max(1024).default(1),
    pids: count(1, 1_000_000).default(256),
    shm: memory(65_536).prefault("64m"),
    tmpfs: memory(65_536).prefault("64m"),
    logSize: size(parseDecimalBytes, 10_000).prefault("10m"),
    logFiles: count(1, 100).default(3),
    stopSeconds: count(0, 3600).default(30),
  })
  .prefault({});

const operations = z
  .strictObject({
    exec: z.boolean().default(false),
    attach: z.boolean().default(false),
    pull: z.boolean().default(false),
    pause: z.boolean().default(false),
    archive: z.boolean().default(false),
    events: z.boolean().default(false),
  })
  .prefault({});

const ports = z
  .strictObject({
    container: z.array(port).min(1),
    hostAddress: z.union([z.ipv4(), z.ipv6()], { error: "has to be an address such as 127.0.0.1" }),
    hostFrom: port,
    hostTo: port,
  })
  .refine(({ hostFrom, hostTo }) => hostFrom <= hostTo, { path: ["hostTo"], message: "has to be hostFrom or more" });

const volumeName = word(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/, "the name of a volume");

/** The policy file as it is written; patterns are still text, because they may name the owner. */
export const policySchema = z.strictObject({
  owner: word(
    /^[a-z0-9][a-z0-9_.-]{0,62}$/,
    "letters, digits, dots, dashes and underscores, such as the project's name",
  ),
  images: z.array(referenceText).min(1),
  names: patternText,
  unnamed: z.boolean().default(false),
  network: word(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, "none, or the name of a network").refine(
    (name) => name !== "host" && name !== "default",
    "has to be none, or the name of a network; with the host's own there is no sandbox",
  ),
  ports: ports.optional(),
  binds: z
    .strictObject({
      root,
      allowed: z.array(z.strictObject({ source: patternText, ...mountable })).min(1),
      volume: volumeName.optional(),
    })
    .optional(),
  volumes: z.array(z.strictObject({ name: patternText, ...mountable })).default([]),
  extraHosts: z.array(word(/^[A-Za-z0-9._-]+:[A-Za-z0-9.:-]+$/, "an entry such as name:address")).default([]),
  limits,
  capabilities: z.array(capability).default([]),
  writableRoot: z.boolean().default(false),
  seccomp: seccomp.default("default"),
  runtime: word(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "the name of a runtime, such as runsc").optional(),
  labels: z.array(patternText).default([]),
  users: patternText.optional(),
  sandboxes: z
    .strictObject({ alive: count(1, 10_000).default(10), createsPerMinute: count(1, 10_000).default(30) })
    .prefault({}),
  connections: count(1, 10_000).default(64),
  operations,
});

/** A policy file that the schema accepts. */
export type PolicyFile = z.output<typeof policySchema>;
