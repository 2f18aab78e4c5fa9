import type { EnvFile } from "../env/env-file.ts";
import { countingEntries } from "../env/env-file.ts";
import type { Finding, Position } from "../findings/finding.ts";
import type { ComposeModel } from "../stack/model.ts";
import type { Stack } from "../stack/stack.ts";
import { tellingVariables } from "./variables.ts";

/** The public URL of a stack, and what its services learn of it. */
export interface PublicValues {
  readonly url: string;
  /** By variable; empty where the configuration maps none. */
  readonly values: Readonly<Record<string, string>>;
}

/** What the contradictions are looked for in. */
export interface PublicSituation {
  readonly published: PublicValues;
  readonly model: ComposeModel;
  readonly stack: Pick<Stack, "excluded">;
  /** The environment file, by its name in messages. */
  readonly file: string;
  readonly envFile: EnvFile;
  /** Origins of other sites that the configuration lets in, each with its place. */
  readonly origins: readonly { readonly origin: string; readonly at: Position }[];
}

/** What in the environment says something else than the public URL: an error where a service would get the wrong value. */
export function publicFindings(situation: PublicSituation): Finding[] {
  return [...overruled(situation), ...misled(situation), ...unmapped(situation), ...doubtfulOrigins(situation)];
}

/** Lines of the environment file that count for nothing any more. */
function overruled({ published: { url, values }, file, envFile }: PublicSituation): Finding[] {
  return countingEntries(envFile).flatMap(({ key, fileValue, line, column }): Finding[] => {
    const value = values[key];
    if (value === undefined || fileValue === "" || fileValue === value) return [];
    return [
      {
        code: "D144",
        severity: "warning",
        message: `${key} says something else than the public URL ${url}; services get ${shown(value)}`,
        fix: "remove the line, or map the variable otherwise under public.variables",
        at: { file, line, column },
      },
    ];
  });
}

/** Services that get another value all the same, through an `env_file` or a Compose file's own words. */
function misled({ published: { url, values }, model, stack }: PublicSituation): Finding[] {
  return Object.entries(values).flatMap(([name, value]): Finding[] => {
    const wrong = servicesWith(model, stack, name).filter(([, given]) => given !== value);
    if (wrong.length === 0) return [];
    const services = wrong.map(([service]) => service).join(", ");
    return [
      {
        code: "D144",
        severity: "error",
        message: `${services} would get another ${name} than the public URL ${url} makes it, which is ${shown(value)}`,
        fix: `add ${services} to public.services, so that the tool gives it the value`,
      },
    ];
  });
}

/** What nobody mapped and yet is wrong where people come by https. */
function unmapped({ published: { url, values }, model, stack }: PublicSituation): Finding[] {
  if (!url.startsWith("https://")) return [];
  return [...tellingVariables].flatMap(([name, form]): Finding[] => {
    if (name in values) return [];
    const wrong = servicesWith(model, stack, name).filter(([, given]) => contradicts(form, given));
    if (wrong.length === 0) return [];
    const services = wrong.map(([service]) => service).join(", ");
    const what =
      form === "secure"
        ? "sends cookies that plain HTTP would show"
        : "lets pages of any origin, or of plain HTTP, call it";
    return [
      {
        code: "D144",
        severity: "warning",
        message: `${services} gets a value of ${name} that does not fit the public URL ${url}: it ${what}`,
        fix: `map it, so that it follows from the URL: public.variables: { ${name}: ${form} }`,
      },
    ];
  });
}

/** Who is let in by them can be anybody on the way there, or any program of the machine before which a person sits. */
function doubtfulOrigins({ published: { url }, origins }: PublicSituation): Finding[] {
  if (!url.startsWith("https://")) return [];
  return origins
    .filter(({ origin }) => plainOrLocal.test(origin))
    .map(({ origin, at }) => ({
      code: "D144",
      severity: "warning",
      message: `public.origins lets pages of ${origin} call a platform that is at ${url}`,
      fix: "name origins with https:// and a public name, and leave those of a developer's machine out",
      at,
    }));
}

const plainOrLocal = /^http:\/\/|\/\/(localhost|127\.\d+\.\d+\.\d+|[^/:]*\.localhost)(:|$)/;

function contradicts(form: string, given: string): boolean {
  return form === "secure" ? /^(false|0|no|off)$/i.test(given) : /\*|http:\/\/|\/\/localhost\b/.test(given);
}

/** The services that start and have a value for a variable. */
function servicesWith(model: ComposeModel, stack: Pick<Stack, "excluded">, name: string): [string, string][] {
  return Object.entries(model.services).flatMap(([service, { environment }]): [string, string][] => {
    const given = environment[name]?.reveal() ?? "";
    return given === "" || stack.excluded.includes(service) ? [] : [[service, given]];
  });
}

function shown(value: string): string {
  return value === "" ? "nothing" : value;
}
