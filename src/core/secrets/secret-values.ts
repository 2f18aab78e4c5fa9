import { parse } from "dotenv";
import type { ComposeModel } from "../stack/model.ts";
import { looksSecret } from "./redact.ts";
import type { NamedSecret } from "./shown-secrets.ts";

/** Values of variables whose name says that they are secret, and passwords in URLs under any name. */
export function secretValues(variables: Iterable<readonly [string, string]>): string[] {
  return [...variables]
    .flatMap(([name, value]) => [...(looksSecret(name) ? [value] : []), ...urlPasswords(value)])
    .filter(isHidden);
}

/** The same, each under the name of its variable. */
export function namedSecrets(variables: Iterable<readonly [string, string]>): NamedSecret[] {
  return [...variables].flatMap((variable) => secretValues([variable]).map((value) => ({ name: variable[0], value })));
}

/**
 * Secrets of an environment file as a program sees them that reads the file itself with the common dotenv grammar: it ends
 * `abc#def` at the `#` and keeps `a$b` whole, where Compose does the opposite. What it prints must be hidden as well.
 */
export function dotenvSecrets(text: string): string[] {
  return secretValues(Object.entries(parse(text)));
}

/** Secrets of an environment file that cannot be parsed, line by line: rather a part too many than one too few. */
export function writtenSecrets(text: string): string[] {
  const lines = text.split(/\r?\n/).flatMap((line) => {
    const [, name = "", value = ""] = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    return [value, value.replace(/^["']|["']$/g, "")].map((spelling): [string, string] => [name, spelling]);
  });
  return secretValues(lines);
}

/** What the environment of the services in a merged model holds of secrets, whichever file it came from. */
export function modelSecrets(model: ComposeModel): string[] {
  return namedModelSecrets(model).map(({ value }) => value);
}

/** The same, each under a name: of its variable, or of the secret that the tool generates. */
export function namedModelSecrets(model: ComposeModel): NamedSecret[] {
  const services = [...Object.values(model.services), ...Object.values(model.buildServices)];
  const variables = services.flatMap(({ environment }) =>
    Object.entries(environment).flatMap(([name, value]): [string, string][] =>
      value === null ? [] : [[name, value.reveal()]],
    ),
  );
  const generated = Object.entries(model.generatedSecrets).map(([name, { value }]) => ({
    name,
    value: value.reveal(),
  }));
  return [...namedSecrets(variables), ...generated.filter(({ value }) => isHidden(value))];
}

/** What the environment of running containers holds of secrets, from `docker container inspect`. */
export function inspectedSecrets(json: unknown): string[] {
  const containers = Array.isArray(json) ? json : [json];
  return secretValues(containers.flatMap(environmentOf));
}

function environmentOf(container: unknown): [string, string][] {
  if (typeof container !== "object" || container === null || !("Config" in container)) return [];
  const { Config: config } = container;
  if (typeof config !== "object" || config === null || !("Env" in config) || !Array.isArray(config.Env)) return [];
  return config.Env.flatMap((line): [string, string][] =>
    typeof line === "string" && line.includes("=")
      ? [[line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]]
      : [],
  );
}

function urlPasswords(value: string): string[] {
  return [...value.matchAll(/\b[a-z][a-z0-9+.-]*:\/\/[^\s/?#:@]*:([^\s/?#@]+)@/gi)].flatMap(
    ([, password]) => password ?? [],
  );
}

/** Words that switch something are no secrets, and hiding them would black out half of every output. */
function isHidden(value: string): boolean {
  return value !== "" && !/^(?:true|false|null|none|yes|no|on|off|enabled|disabled)$/i.test(value);
}
