import type * as z from "zod";
import { failure, type Outcome, success } from "../findings/finding.ts";
import { modelSchema } from "./model-schema.ts";

/**
 * The merged Compose model, typed. Values that may hold secrets (`environment`, `content` of secrets and configs,
 * `generatedSecrets`) are concealed. `services` are those that may start, `buildServices` those of the profile `build`,
 * which are built at most. `generatedSecrets` and `builtImages` come from the extension `x-sandbox-deploy`:
 * secrets that the tool generates (`value` as interpolated, `file` the Compose secret that carries it, `bytes` of
 * randomness, how it is written and what becomes of a new value) and images that are built though no service runs them, by a name for messages.
 */
export type ComposeModel = DeepReadonly<z.output<typeof modelSchema>>;

/** One service of the merged model. */
export type ComposeService = ComposeModel["services"][string];

/** The name of a volume on the engine, by its key: Compose puts the project's name before one that has none of its own. */
export function volumeName(model: ComposeModel, key: string): string {
  return nameOf(model.name, key, model.volumes[key]);
}

/** The name of a network on the engine, by its key, in the same way. */
export function networkName(model: ComposeModel, key: string): string {
  return nameOf(model.name, key, model.networks[key]);
}

/**
 * The networks that a service is on, by their names on the engine. `network_mode` may name any of them, the host's own and
 * the default bridge too.
 */
export function serviceNetworks(model: ComposeModel, { networks, networkMode }: ComposeService): string[] {
  const declared = networks.map((network) => networkName(model, network));
  if (networkMode === undefined || /^(service|container):/.test(networkMode)) return declared;
  return [...declared, networkMode === "default" ? "bridge" : networkMode];
}

function nameOf(project: string, key: string, declared: ComposeModel["networks" | "volumes"][string] | undefined) {
  return declared?.name ?? (declared === undefined || declared.external ? key : `${project}_${key}`);
}

type DeepReadonly<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends readonly (infer Item)[]
    ? readonly DeepReadonly<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : T;

/**
 * Reads the JSON of `docker compose config --format json`. Keys that are not known are left out; a known key of a wrong
 * type is an error (D032), because a privilege in it would go unseen. Compose doubles every `$` of its output: undone here.
 */
export function parseModel(json: unknown): Outcome<ComposeModel> {
  const parsed = modelSchema.safeParse(undoDollars(json));
  if (parsed.success) return success(parsed.data);
  const places = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the document"}: ${message}`);
  return failure({
    code: "D032",
    severity: "error",
    message: `the merged model of Docker Compose cannot be read: ${places.slice(0, 3).join("; ")}`,
    fix: "compare with `docker compose config`; if Compose accepts the files, report this with the Compose version",
  });
}

function undoDollars(json: unknown): unknown {
  if (typeof json === "string") return json.replaceAll("$$", () => "$");
  if (Array.isArray(json)) return json.map(undoDollars);
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [key.replaceAll("$$", () => "$"), undoDollars(value)]),
  );
}
