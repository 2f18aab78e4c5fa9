import type { Container } from "../containers/container.ts";
import type { ComposeService } from "../stack/model.ts";

/** A secret and the name under which people know it. */
export interface NamedSecret {
  readonly name: string;
  readonly value: string;
}

/** A place in which everybody who may list containers reads a secret. */
export interface ShownSecret {
  readonly place: string;
  readonly name: string;
}

/** A shorter one is found in too many words that have nothing to do with it. */
const leastLength = 8;

/** The secrets that a container's program, labels or health check show; never their values. */
export function shownSecrets({ words, settings }: Container, secrets: readonly NamedSecret[]): ShownSecret[] {
  const labels = Object.entries(settings.labels).map(([key, value]): [string, string] => [
    `the label ${key}`,
    value.reveal(),
  ]);
  return shown(
    [["its command", words.join("\n")], ["its health check", (settings.healthcheck?.test ?? []).join("\n")], ...labels],
    secrets,
  );
}

/** The same of a service: what its Compose files show is planned, however unwise. */
export function plannedShownSecrets(
  { entrypoint, command, healthcheck, labels }: ComposeService,
  secrets: readonly NamedSecret[],
): ShownSecret[] {
  const texts = Object.entries(labels).map(([key, value]): [string, string] => [`the label ${key}`, value]);
  const program = [...entrypoint, ...command].join("\n");
  return shown(
    [["its command", program], ["its health check", [healthcheck?.test ?? []].flat().join("\n")], ...texts],
    secrets,
  );
}

function shown(
  places: readonly (readonly [place: string, text: string])[],
  secrets: readonly NamedSecret[],
): ShownSecret[] {
  const long = secrets.filter(({ value }) => value.length >= leastLength);
  return places.flatMap(([place, text]) => {
    const names = long.filter(({ value }) => text.includes(value)).map(({ name }) => name);
    // One value has several names where a file secret and a variable hold the same.
    return names[0] === undefined ? [] : [{ place, name: names[0] }];
  });
}
