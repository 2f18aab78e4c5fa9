import { countingEntries, type EnvFile } from "../env/env-file.ts";
import type { ComposeModel } from "../stack/model.ts";
import { type DataPassword, dataPasswords } from "./data-password.ts";
import { looksSecret } from "./redact.ts";
import { classOf, type SecretClass } from "./secret-class.ts";
import { strengthBits } from "./secret-form.ts";
import { type SecretUse, usesOf } from "./secret-usage.ts";

/** Everything about a secret but its value. */
export interface ListedSecret {
  readonly name: string;
  readonly class: SecretClass;
  readonly generated: boolean;
  readonly set: boolean;
  /** About how many bits somebody has to guess; left out where it has no value. */
  readonly strengthBits?: number;
  readonly uses: readonly SecretUse[];
  /** The passwords of databases that it is. */
  readonly passwords: readonly DataPassword[];
}

/** What the list is made of. */
export interface ListInput {
  readonly model: ComposeModel;
  /** The JSON of the model that was merged with markers. */
  readonly marked: unknown;
  readonly envFile: EnvFile;
  readonly exported: ReadonlyMap<string, string>;
}

/** Names of the secrets of a stack. */
export function secretNames(model: ComposeModel, envFile: EnvFile): string[] {
  const written = countingEntries(envFile).map(({ key }) => key);
  return [...new Set([...Object.keys(model.generatedSecrets), ...written.filter(looksSecret)])];
}

/** Every secret of a stack: what is generated, and what the environment file has under a name that says so. */
export function listSecrets(input: ListInput): ListedSecret[] {
  const { model, marked, envFile, exported } = input;
  const entries = new Map(countingEntries(envFile).map((entry) => [entry.key, entry]));
  const fileValues = new Map([...entries.values()].map(({ key, fileValue }) => [key, fileValue]));
  const all = dataPasswords(model);
  return secretNames(model, envFile).map((name) => {
    const value = exported.get(name) ?? entries.get(name)?.value ?? model.generatedSecrets[name]?.value.reveal() ?? "";
    const uses = usesOf(name, { model, marked, fileValues });
    const passwords = all.filter((password) => isFed(password, name, uses));
    return {
      name,
      class: classOf(model, name, passwords),
      generated: name in model.generatedSecrets,
      set: value !== "",
      ...(value === "" ? {} : { strengthBits: strengthBits(value) }),
      uses,
      passwords,
    };
  });
}

function isFed({ service, variable, generated }: DataPassword, name: string, uses: readonly SecretUse[]): boolean {
  if (generated !== undefined) return generated === name;
  return uses.some((use) => use.service === service && use.how === "environment" && use.detail === variable);
}

/** The services that get a secret, each once. */
export function usersOfSecret({ uses }: Pick<ListedSecret, "uses">): string[] {
  return [...new Set(uses.map(({ service }) => service))].toSorted();
}

/** What a new value of each class means, for people. */
export const classTexts: Readonly<Record<SecretClass, string>> = {
  session: "a new value logs everyone out",
  volume: "kept in data: it has to be changed there first",
  restart: "read at each start",
  "at-rest": "encrypts data: a new value would make it unreadable",
  foreign: "somebody else's key: set it when they give a new one",
};

/** The list as people read it: a block for each secret. */
export function secretListText(
  secrets: readonly ListedSecret[],
  changed: (name: string) => string | undefined,
): string {
  const width = Math.max(0, ...secrets.map(({ name }) => name.length));
  return secrets
    .map((secret) => {
      const { name, uses } = secret;
      const strength = secret.set ? `about ${secret.strengthBits ?? 0} bits` : "no value";
      const since = changed(name);
      const head = [secret.class, strength, ...(since === undefined ? [] : [`since ${since}`])].join(", ");
      const shown = uses.map(({ service, how, detail }) => `${service} (${how} ${detail})`).join(", ");
      return `${name.padEnd(width)}  ${head}\n${" ".repeat(width)}  ${shown === "" ? "no service reads it" : shown}`;
    })
    .join("\n");
}
