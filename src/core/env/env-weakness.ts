import type { Finding } from "../findings/finding.ts";
import { weakSecret } from "../plan/plan.ts";
import { isWeakSecret, minimumSecretLength, type WeakReason } from "../secrets/generate-secret.ts";
import { looksSecret } from "../secrets/redact.ts";
import {
  defaultsOf,
  type EnvSituation,
  isSecretName,
  placeOf,
  type StackSecret,
  stackSecrets,
} from "./env-situation.ts";

/**
 * Secrets that others know or can guess. One that the tool would have generated is refused when everybody knows its value;
 * anything else may be somebody's switch or a key that is not used, so it is a warning.
 */
export function weaknessFindings(situation: EnvSituation): Finding[] {
  const secrets = stackSecrets(situation);
  return [
    ...secrets.flatMap((secret) => weakFinding(situation, secret)),
    ...defaultFindings(situation),
    ...sharedFindings(situation.file, secrets),
  ];
}

/** Shorter values of names that only look secret are mostly settings, such as the name of a column to sort by. */
const telling = /PASSWORD|PASSWD|SECRET|PASSPHRASE/i;

function weakFinding(situation: EnvSituation, secret: StackSecret): Finding[] {
  const { name, value, generated } = secret;
  const reason = isWeakSecret(value);
  if (reason !== undefined) {
    const counts = generated || telling.test(name) || reason === "placeholder" || value.length >= minimumSecretLength;
    return counts ? [weak(situation, secret, reasonText(reason), isKnown(reason))] : [];
  }
  const example = situation.examples.get(name);
  if (example?.value === value) return [weak(situation, secret, `has the value that stands in ${example.file}`, true)];
  const standard = defaultsOf(situation)
    .get(name)
    ?.find((each) => each.value === value);
  if (standard === undefined) return [];
  return [weak(situation, secret, `has the value that ${standard.at.file} gives to everybody as a default`, true)];
}

/** Whether anybody can look the value up, or has only to try. */
function isKnown(reason: WeakReason): boolean {
  return reason === "placeholder" || reason === "known default" || reason === "same as the example";
}

function reasonText(reason: WeakReason): string {
  switch (reason) {
    case "empty":
      return "consists of blanks";
    case "placeholder":
      return "has a placeholder for a value";
    case "known default":
      return "has a value that everybody tries first";
    case "same as the example":
      return "has the value of the example";
    case "too short":
      return `is shorter than ${minimumSecretLength} characters`;
    case "too regular":
      return "repeats itself, so that it can be guessed";
  }
}

function weak({ file }: EnvSituation, { name, generated, entry }: StackSecret, text: string, known: boolean): Finding {
  const refused = known && generated;
  return {
    code: known ? "D103" : "D104",
    severity: refused ? "error" : "warning",
    message: `the secret ${name} ${text}`,
    fix: generated
      ? `empty the value so that one is generated, or write one of your own${refused ? `; --accept ${weakSecret} takes it as it is` : ""}`
      : "write the real one, or remove the line",
    ...(refused ? { acceptName: weakSecret } : {}),
    ...placeOf(file, entry),
  };
}

/** Nothing is set, and a Compose file puts in a password that everybody can read there. */
function defaultFindings(situation: EnvSituation): Finding[] {
  const { envFile, exported, model, file } = situation;
  const set = new Set([
    ...envFile.entries.filter(({ value }) => value !== "").map(({ key }) => key),
    ...exported.keys(),
  ]);
  return [...defaultsOf(situation)].flatMap(([name, [standard]]): Finding[] => {
    if (set.has(name) || standard === undefined || !looksSecret(name) || !isSecretName(model, name)) return [];
    if (!isUsed(situation, standard.value)) return [];
    return [
      {
        code: "D103",
        severity: name in model.generatedSecrets ? "error" : "warning",
        message: `${name} has no value, so the stack gets the default that stands here for everybody to read`,
        fix: `write ${name} with a value of its own into ${file}`,
        at: standard.at,
      },
    ];
  });
}

/** Whether the default reaches the stack of this mode. */
function isUsed({ model }: EnvSituation, value: string): boolean {
  const given = Object.values(model.services).flatMap(({ environment }) => Object.values(environment));
  return given.some((each) => each?.reveal().includes(value));
}

/** Whoever holds the one holds the other. A value that refers to the other one is meant to be the same. */
function sharedFindings(file: string, secrets: readonly StackSecret[]): Finding[] {
  const own = secrets.filter(({ value, entry }) => value.length >= 8 && !entry?.interpolated && !isWeakSecret(value));
  return own.flatMap((secret, index): Finding[] => {
    const first = own.findIndex(({ value }) => value === secret.value);
    const twin = own[first];
    if (twin === undefined || first === index) return [];
    return [
      {
        code: "D105",
        severity: "warning",
        message: `${secret.name} has the same value as ${twin.name}: whoever learns one has both`,
        fix: `give each its own; if both are one secret for the same service, write ${secret.name}=\${${twin.name}}`,
        ...placeOf(file, secret.entry),
      },
    ];
  });
}
