import type { Position } from "../findings/finding.ts";
import type { Source } from "../findings/source.ts";
import { looksSecret } from "../secrets/redact.ts";
import { type ComposeDefault, composeDefaults, referencedVariables } from "../stack/compose-references.ts";
import type { ComposeModel } from "../stack/model.ts";
import { countingEntries, type EnvEntry, type EnvFile } from "./env-file.ts";

/** An `env_file` of a service, read. */
export interface ReadServiceFile {
  readonly service: string;
  /** As messages call it. */
  readonly file: string;
  /** Whether it is the environment file of the stack itself. */
  readonly isEnvFile: boolean;
  readonly envFile: EnvFile;
}

/** Everything that says which values the stack's variables have. Values stay in here: findings name keys. */
export interface EnvSituation {
  /** The environment file as messages call it. */
  readonly file: string;
  readonly envFile: EnvFile;
  /** The process environment, which beats the file. */
  readonly exported: ReadonlyMap<string, string>;
  readonly model: ComposeModel;
  /** The Compose files of every mode: a variable of another mode is no mistake. */
  readonly composeFiles: readonly Source[];
  /** Variables that the tool reads itself, because the configuration names them. */
  readonly readElsewhere?: readonly string[];
  readonly serviceFiles: readonly ReadServiceFile[];
  /** Values of example files by key, which everybody can read. */
  readonly examples: ReadonlyMap<string, { readonly file: string; readonly value: string }>;
}

/** A secret of the stack with the value that Compose uses. */
export interface StackSecret {
  readonly name: string;
  readonly value: string;
  /** Whether a Compose file asks the tool to generate it. */
  readonly generated: boolean;
  /** Its line in the environment file; left out where the value comes from elsewhere. */
  readonly entry?: EnvEntry;
}

/** Whether a variable is a secret: by its name, or because the tool generates it. */
export function isSecretName(model: ComposeModel, name: string): boolean {
  return name in model.generatedSecrets || looksSecret(name);
}

/** Names of the variables that Compose fills in anywhere, and those that are passed to a service under their own name. */
export function readVariables({ composeFiles, model, readElsewhere = [] }: EnvSituation): Set<string> {
  const referenced = composeFiles.flatMap(({ text }) => [...referencedVariables(text)]);
  const services = [...Object.values(model.services), ...Object.values(model.buildServices)];
  return new Set([...readElsewhere, ...referenced, ...services.flatMap(({ environment }) => Object.keys(environment))]);
}

/** Every secret that has a value and is read: those of the environment file, and generated ones from elsewhere. */
export function stackSecrets(situation: EnvSituation): StackSecret[] {
  const { model, envFile } = situation;
  const read = readVariables(situation);
  const entries = new Map(countingEntries(envFile).map((entry) => [entry.key, entry]));
  const written = [...entries.values()]
    .filter(({ key, value }) => value !== "" && isSecretName(model, key) && read.has(key))
    .map((entry) => ({ name: entry.key, value: entry.value, generated: entry.key in model.generatedSecrets, entry }));
  const others = Object.entries(model.generatedSecrets).flatMap(([name, { value }]) =>
    entries.has(name) || value.reveal() === "" ? [] : [{ name, value: value.reveal(), generated: true }],
  );
  return [...written, ...others];
}

/** The place of an entry of the environment file. */
export function placeOf(file: string, entry: Pick<EnvEntry, "line" | "column"> | undefined): { at?: Position } {
  return entry === undefined ? {} : { at: { file, line: entry.line, column: entry.column } };
}

/** The defaults that Compose files give to variables, by name. */
export function defaultsOf({ composeFiles }: EnvSituation): ReadonlyMap<string, readonly ComposeDefault[]> {
  const groups = new Map<string, ComposeDefault[]>();
  for (const each of composeFiles.flatMap(composeDefaults))
    groups.set(each.name, [...(groups.get(each.name) ?? []), each]);
  return groups;
}
