import type { Finding } from "../findings/finding.ts";
import { suggest } from "../findings/suggest.ts";
import { referencedVariables, takesInOthers } from "../stack/compose-references.ts";
import { countingEntries, type EnvEntry } from "./env-file.ts";
import { unsetFindings } from "./env-finding.ts";
import { type EnvSituation, isSecretName, placeOf, readVariables } from "./env-situation.ts";

/** What does not fit together in the values of the stack's variables: an error where the stack would run with the wrong one. */
export function coherenceFindings(situation: EnvSituation): Finding[] {
  const { file, envFile, exported, model } = situation;
  return [
    ...unsetFindings(file, envFile, exported, (key) => isSecretName(model, key)),
    ...duplicateFindings(situation),
    ...dollarFindings(situation),
    ...shellFindings(situation),
    ...serviceFileFindings(situation),
    ...unreadFindings(situation),
  ];
}

/** Compose takes the last line; whoever edits the first one, or reads the file with grep, sees the other. */
function duplicateFindings({ file, envFile: { entries } }: EnvSituation): Finding[] {
  return entries.flatMap((entry, index): Finding[] => {
    const last = entries.findLast(({ key }) => key === entry.key);
    const isFirst = entries.findIndex(({ key }) => key === entry.key) === index;
    const others = entries.filter(({ key, fileValue }) => key === entry.key && fileValue !== last?.fileValue);
    if (!isFirst || last === undefined || others.length === 0) return [];
    return [
      {
        code: "D101",
        severity: "warning",
        message: `${entry.key} stands more than once with different values; the last one, on line ${last.line}, counts`,
        fix: "remove the lines that are not meant",
        ...placeOf(file, entry),
      },
    ];
  });
}

/** One that is not set is D034; this one is, so that nothing looks wrong until the password is refused. */
function dollarFindings({ file, envFile, exported, model }: EnvSituation): Finding[] {
  return countingEntries(envFile)
    .filter(({ key, bare, unset }) => bare && unset.length === 0 && !exported.has(key) && isSecretName(model, key))
    .map((entry) => ({
      code: "D102",
      severity: "warning",
      message: `the value of ${entry.key} has a $ in it, and Compose fills in the variable that it seems to name`,
      fix: "if the $ belongs to the value, put the value in single quotes; if a variable is meant, write it as ${NAME}",
      ...placeOf(file, entry),
    }));
}

/** What the shell exports beats the file: without a word, and differently in the next shell. */
function shellFindings(situation: EnvSituation): Finding[] {
  const { file, envFile, exported } = situation;
  const read = readVariables(situation);
  return countingEntries(envFile)
    .filter(({ key, fileValue }) => {
      const shell = exported.get(key);
      // An exported secret that is empty is D062.
      return shell !== undefined && shell !== "" && fileValue !== "" && shell !== fileValue && read.has(key);
    })
    .map((entry) => shellFinding(situation, entry, file));
}

function shellFinding({ serviceFiles, model }: EnvSituation, entry: EnvEntry, file: string): Finding {
  const { key } = entry;
  const receivers = serviceFiles
    .filter(({ isEnvFile, service }) => isEnvFile && delivers(model.services[service]?.environment[key], entry))
    .map(({ service }) => service);
  const split = receivers.length > 0 && isSecretName(model, key);
  const taken =
    receivers.length > 0
      ? `Compose fills in the shell's, but ${receivers.join(", ")} gets the file's through env_file`
      : "Compose takes the shell's";
  return {
    code: "D100",
    severity: split ? "error" : "warning",
    message: `${key} has two values, one here and one exported in this shell; ${taken}`,
    fix: `run unset ${key}, or write the value that is meant into ${file}`,
    ...placeOf(file, entry),
  };
}

function delivers(
  given: EnvSituation["model"]["services"][string]["environment"][string] | undefined,
  { fileValue }: EnvEntry,
) {
  return given?.reveal() === fileValue;
}

/** A service gets one value through its `env_file`, and Compose fills in another under the same name elsewhere. */
function serviceFileFindings(situation: EnvSituation): Finding[] {
  const { file, envFile, exported, model, serviceFiles, composeFiles } = situation;
  const referenced = new Set(composeFiles.flatMap(({ text }) => [...referencedVariables(text)]));
  const stack = new Map(countingEntries(envFile).map(({ key, value }) => [key, value]));
  return serviceFiles
    .filter(({ isEnvFile }) => !isEnvFile)
    .flatMap((own) =>
      countingEntries(own.envFile).flatMap((entry): Finding[] => {
        const value = exported.get(entry.key) ?? stack.get(entry.key);
        const differs = value !== undefined && value !== "" && value !== entry.fileValue;
        if (!differs || !referenced.has(entry.key)) return [];
        if (!delivers(model.services[own.service]?.environment[entry.key], entry)) return [];
        return [
          {
            code: "D100",
            severity: "warning",
            message: `${entry.key} has two values: ${own.service} gets this one, and Compose fills in the one of ${stack.has(entry.key) ? file : "this shell"}`,
            fix: `keep one of the two, or give ${own.service} the other one with environment: in a Compose file`,
            ...placeOf(own.file, entry),
          },
        ];
      }),
    );
}

/** Mostly a typing error: the name that is read has no value then. */
function unreadFindings(situation: EnvSituation): Finding[] {
  const { file, envFile, model, composeFiles, serviceFiles } = situation;
  if (composeFiles.some(takesInOthers) || serviceFiles.some(({ isEnvFile }) => isEnvFile)) return [];
  const read = readVariables(situation);
  const entries = countingEntries(envFile);
  const used = new Set([...read, ...entries.flatMap(({ variables }) => variables)]);
  return entries
    .filter(({ key, fileValue }) => fileValue !== "" && isSecretName(model, key) && !used.has(key))
    .map((entry) => {
      const near = suggest(
        entry.key,
        [...read].filter((name) => isSecretName(model, name)),
      );
      return {
        code: "D109",
        severity: "warning",
        message: `no service reads ${entry.key}`,
        fix: near === undefined ? "remove the line, or correct its name" : `did you mean ${near}? Else remove the line`,
        ...placeOf(file, entry),
      };
    });
}
