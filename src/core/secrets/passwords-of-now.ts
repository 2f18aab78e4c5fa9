import type { Finding } from "../findings/finding.ts";
import type { ComposeModel } from "../stack/model.ts";
import { dataPasswords } from "./data-password.ts";

/** A password that data has by now, in the place of the one that a record has. */
export interface NewerPassword {
  readonly service: string;
  readonly program: string;
  readonly from: string;
  readonly to: string;
}

/** A shorter one may stand in a model for something else, such as the name of a role or of an image. */
const tellingLength = 16;

/**
 * The passwords of databases that were changed since a model was recorded, by a rotation for instance: data keeps the one that
 * it has, so that going back with the older one would lock everybody out. What is too short to be replaced safely is left.
 */
export function newerPasswords(recorded: ComposeModel, now: ComposeModel): NewerPassword[] {
  const known = dataPasswords(now);
  const kind = (variable: string) => variable.replace(/_FILE$/, "");
  return dataPasswords(recorded).flatMap(({ service, program, variable, value: from = "" }) => {
    const same = known.find((each) => each.service === service && kind(each.variable) === kind(variable));
    const to = same?.program === program ? (same.value ?? "") : "";
    return to === "" || to === from || from.length < tellingLength ? [] : [{ service, program, from, to }];
  });
}

/** A merged model as Compose printed it, with newer passwords wherever the older ones stand, in addresses too. Throws where it is no JSON. */
export function withPasswords(text: string, newer: readonly NewerPassword[]): string {
  // Each spelling once: a newer password may have the older one in it.
  const spellings = new Map(
    newer.flatMap(({ from, to }) => [
      [dollars(encodeURIComponent(from)), dollars(encodeURIComponent(to))] as const,
      [dollars(from), dollars(to)] as const,
    ]),
  );
  const replaced = (value: string) =>
    [...spellings].reduce((changed, [from, to]) => changed.replaceAll(from, () => to), value);
  const parsed: unknown = JSON.parse(text, (_, value: unknown) =>
    typeof value === "string" ? replaced(value) : value,
  );
  return newer.length === 0 ? text : JSON.stringify(parsed);
}

/** As Compose spells a text that it prints. */
function dollars(text: string): string {
  return text.replaceAll("$", () => "$$");
}

/** Files of the operator's that hold such a password: what is in them stays as it is, for the data does. */
export function passwordFiles(model: ComposeModel): string[] {
  return dataPasswords(model).flatMap(({ service, variable, value }) => {
    if (value !== undefined) return [];
    const path = model.services[service]?.environment[variable]?.reveal();
    const carrier = model.services[service]?.secrets.find(({ source, target = source }) =>
      [target, `/run/secrets/${target}`].includes(path ?? ""),
    );
    return model.secrets[carrier?.source ?? ""]?.file ?? [];
  });
}

/** What is told of each, once. */
export function newerPasswordFindings(newer: readonly NewerPassword[]): Finding[] {
  return [...new Set(newer.map(({ service, program }) => `${program} in ${service}`))].map((what) => ({
    code: "D099",
    severity: "warning",
    message: `the password of ${what} is another one by now; its data has that one, so it stays, for whoever connects as well`,
    fix: "nothing has to be done: everything else is as it was then",
  }));
}
