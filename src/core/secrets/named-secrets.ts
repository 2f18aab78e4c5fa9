import type { ComposeModel } from "../stack/model.ts";
import type { Concealed } from "./concealed.ts";
import { looksSecret } from "./redact.ts";

/** A secret of a stack: its value, or the file of the host or the variable that holds it. */
export type NamedSecret =
  | { readonly kind: "value"; readonly value: Concealed }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "variable"; readonly name: string };

/**
 * Every secret of a stack by name: those that are generated, variables of services whose names say that they are secret,
 * and what Compose's own `secrets:` hold. A variable that differs between services has an entry for each, `service.NAME`.
 */
export function namedSecrets(model: ComposeModel): ReadonlyMap<string, NamedSecret> {
  const generated = Object.entries(model.generatedSecrets);
  const carriers = new Set(generated.flatMap(([, { file }]) => file ?? []));
  return new Map<string, NamedSecret>([
    ...variableSecrets(model),
    ...composeSecrets(model, carriers),
    ...generated.map(([name, { value }]) => [name, { kind: "value", value }] as const),
  ]);
}

function variableSecrets(model: ComposeModel): (readonly [string, NamedSecret])[] {
  const found = Object.entries(model.services).flatMap(([service, { environment }]) =>
    Object.entries(environment).flatMap(([name, value]) =>
      value !== null && value.reveal() !== "" && looksSecret(name) ? [{ service, name, value }] : [],
    ),
  );
  return found.map(({ service, name, value }) => {
    const alike = found.filter((each) => each.name === name).every((each) => each.value.reveal() === value.reveal());
    return [alike ? name : `${service}.${name}`, { kind: "value", value }] as const;
  });
}

/** Those that only carry a generated secret are that one. */
function composeSecrets(model: ComposeModel, carriers: ReadonlySet<string>): (readonly [string, NamedSecret])[] {
  return Object.entries(model.secrets).flatMap(
    ([name, { file, environment, content }]): (readonly [string, NamedSecret])[] => {
      if (carriers.has(name)) return [];
      if (file !== undefined) return [[name, { kind: "file", path: file }]];
      if (environment !== undefined) return [[name, { kind: "variable", name: environment }]];
      return content === undefined ? [] : [[name, { kind: "value", value: content }]];
    },
  );
}
