import type { RawRequest } from "./raw-client.ts";
import type { World } from "./world.ts";

/** The classes of ways to the host and to other people's containers, each with what it stands for. */
export const escapeClasses = {
  json: "one body that two readers understand differently",
  privileges: "fields that give a container the rights of the host",
  namespaces: "fields that put a container into a namespace of the host or of another container",
  resources: "fields that take from the machine what other programs need",
  binds: "host directories through `Binds`",
  mounts: "host directories, devices and file systems through volumes and `Mounts`",
  images: "code or data of others through images",
  containers: "containers and commands of others",
  lists: "lists and filters that tell of others",
  families: "whole families of routes that a sandbox does not need",
  operations: "operations that this policy leaves switched off",
  target: "one target that two readers understand differently",
  query: "parameters that another reader finds elsewhere or understands otherwise",
  headers: "headers that change what a request is",
  network: "networks, names and addresses of others",
  ports: "published ports",
  labels: "labels, names and settings that other tools act on",
} as const;

/** One of the classes. */
export type EscapeClass = keyof typeof escapeClasses;

/** What the guard makes of an escape. */
export type Expectation =
  /** An answer that names a rule beginning with `rule`; nothing of it reaches the engine. */
  | { readonly kind: "refused"; readonly rule: string; readonly status?: number }
  /** The engine's own words, as for what does not exist; nothing of it reaches the engine. */
  | { readonly kind: "said"; readonly status: number; readonly message: string }
  /** What reaches the engine is the harmless container, apart from these fields: where each stands, and its value. */
  | { readonly kind: "contained"; readonly differs: Readonly<Record<string, unknown>> }
  /** What reaches the engine is this request and no other; `filters` as data; without a body unless one is named. */
  | {
      readonly kind: "narrowed";
      readonly method: string;
      readonly path: string;
      readonly query: Readonly<Record<string, unknown>>;
      readonly body?: unknown;
    }
  /** The guard answers by itself; nothing of it reaches the engine. */
  | { readonly kind: "answered" };

/** What the same request does when it is sent straight to the engine that the scenarios run on. */
export type Unguarded =
  /** Something has changed, or the answer holds a secret. */
  | "effect"
  /** It succeeds and tells something, though no secret of the test. */
  | "answer"
  /** Nothing, on this engine: another one, or another state of this one, would be harmed. */
  | { readonly none: string }
  /** Never sent: it would harm the machine under test, not only the test's own objects. */
  | { readonly unsafe: string };

/** One concrete request that tries to get more than a sandbox. */
export interface Escape {
  readonly class: EscapeClass;
  /** What it tries; unique. */
  readonly tries: string;
  /** What it would give, or why it cannot be let through. */
  readonly why: string;
  readonly request: RawRequest;
  readonly expect: Expectation;
  readonly unguarded: Unguarded;
  /** Whether the policy with every operation switched off is the one that refuses; the default is the widest. */
  readonly policy?: "narrow";
}

/** The escapes of a class, as they are in a given world. */
export type Table = (world: World) => readonly Escape[];

/** The parts of the body of a create request; `raw` replaces everything else by a text. */
export interface CreateParts {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly host?: Readonly<Record<string, unknown>>;
  readonly networking?: Readonly<Record<string, unknown>>;
  readonly name?: string;
  /** The whole query, when the name alone does not do. */
  readonly query?: string;
  readonly version?: string;
  readonly raw?: string;
  readonly headers?: RawRequest["headers"];
}

/** A create request that is within the policy but for the parts given. */
export function create(world: World, parts: CreateParts = {}): RawRequest {
  const body = parts.raw ?? JSON.stringify(createBody(world, parts));
  const query = parts.query ?? `name=${parts.name ?? world.names.escape}`;
  const target = `/${parts.version ?? "v1.41"}/containers/create${query === "" ? "" : `?${query}`}`;
  return { method: "POST", target, headers: parts.headers ?? [["Content-Type", "application/json"]], body };
}

/** What a client writes for a container that is within the policy, with some parts exchanged. */
export function createBody(world: World, parts: CreateParts = {}): Record<string, unknown> {
  return {
    Image: world.image.reference,
    Cmd: ["sleep", "300"],
    ...parts.config,
    ...(parts.host === undefined ? {} : { HostConfig: parts.host }),
    ...(parts.networking === undefined ? {} : { NetworkingConfig: parts.networking }),
  };
}

/** A request without a body. */
export function plain(method: string, target: string): RawRequest {
  return { method, target };
}

/** A request with a JSON body. */
export function withJson(method: string, target: string, body: unknown): RawRequest {
  return { method, target, headers: [["Content-Type", "application/json"]], body: JSON.stringify(body) };
}

/** Short forms of the expectations. */
export const refused = (rule: string, status?: number): Expectation => ({
  kind: "refused",
  rule,
  ...(status === undefined ? {} : { status }),
});
export const hidden = (message: string): Expectation => ({ kind: "said", status: 404, message });
export const tooOld = (version: string): Expectation => ({
  kind: "said",
  status: 400,
  message: `client version ${version} is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version`,
});
export const contained = (differs: Readonly<Record<string, unknown>> = {}): Expectation => ({
  kind: "contained",
  differs,
});
