import type { ComposeModel } from "../stack/model.ts";

/** One way in which a service gets a secret. */
export interface SecretUse {
  readonly service: string;
  /** The file it is mounted as, the variable it is given as, or another place of the service's definition. */
  readonly how: "file" | "environment" | "definition";
  /** The path inside the container, the variable's name, or the key of the definition. */
  readonly detail: string;
}

/** What the usage is read from. */
export interface UsageInput {
  readonly model: ComposeModel;
  /** The JSON of the merged model once more, merged with a marker in the place of each secret's value. */
  readonly marked: unknown;
  /** The values that the environment file gives, which `env_file` hands on whatever else is set. */
  readonly fileValues: ReadonlyMap<string, string>;
}

/** A text that stands for a secret and occurs nowhere else; Compose itself then shows where a value ends up. */
export function markerOf(name: string): string {
  return `sandboxDeployMarks0${Buffer.from(name).toString("hex")}0`;
}

/** Which services get a variable, and how: by itself, or as a part of another one. */
export function usesOf(name: string, input: UsageInput): SecretUse[] {
  return Object.keys(input.model.services).flatMap((service) => [
    ...fileUses(service, name, input),
    ...definitionUses(service, name, input),
  ]);
}

function fileUses(service: string, name: string, { marked, model }: UsageInput): SecretUse[] {
  const declared = recordOf(recordOf(marked)["secrets"]);
  const carrier = model.generatedSecrets[name]?.file;
  return (model.services[service]?.secrets ?? []).flatMap(({ source, target = source }): SecretUse[] => {
    const { environment, ...rest } = recordOf(declared[source]);
    if (carrier !== source && environment !== name && !holds(rest, name)) return [];
    return [{ service, how: "file", detail: target.startsWith("/") ? target : `/run/secrets/${target}` }];
  });
}

function definitionUses(service: string, name: string, { marked, model, fileValues }: UsageInput): SecretUse[] {
  const { environment, build: _, ...rest } = recordOf(recordOf(recordOf(marked)["services"])[service]);
  const given = Object.entries(recordOf(environment)).filter(([, value]) => holds(value, name));
  const own = model.services[service]?.environment[name]?.reveal();
  const byFile =
    own !== undefined && own !== "" && own === fileValues.get(name) && !given.some(([key]) => key === name);
  const others = Object.entries(rest).filter(([, value]) => holds(value, name));
  return [
    ...[...given.map(([key]) => key), ...(byFile ? [name] : [])].map(
      (detail): SecretUse => ({ service, how: "environment", detail }),
    ),
    ...others.map(([detail]): SecretUse => ({ service, how: "definition", detail })),
  ];
}

function holds(value: unknown, name: string): boolean {
  return (JSON.stringify(value) ?? "").includes(markerOf(name));
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
