import type { DeploymentRecord } from "../core/deployment/deployment.ts";
import type { Facts } from "../core/plan/facts.ts";
import { namedSecrets } from "../core/secrets/named-secrets.ts";
import { type NewerPassword, newerPasswords, passwordFiles, withPasswords } from "../core/secrets/passwords-of-now.ts";
import type { ComposeModel } from "../core/stack/model.ts";
import type { Territory } from "../core/stack/stack.ts";
import { modelOf } from "../shell/compose/compose.ts";
import { knownHistory } from "../shell/records/history.ts";
import { readReceipt, receiptFor } from "../shell/records/receipt.ts";
import { readWholeModel } from "../shell/records/whole-record.ts";
import type { World } from "../world.ts";
import { goneError } from "./recorded-files.ts";

/** A merged model of then, with the passwords that data has now. */
export interface RecordedModel {
  readonly text: string;
  readonly newer: readonly NewerPassword[];
  /** Files that stay the operator's own. */
  readonly own: readonly string[];
}

/** The merged model of a record; D097 where it is damaged. `given` says which passwords data has, else the deployment that runs does. */
export async function recordedModel(
  world: World,
  { statePath }: Territory,
  record: DeploymentRecord,
  given: ComposeModel | undefined,
): Promise<RecordedModel> {
  const kept = await readWholeModel(world, statePath, record);
  if ("lack" in kept) throw goneError([kept.lack]);
  const then = modelOf(kept.text);
  const now = given ?? (await runningModel(world, statePath, record.project));
  const newer = now === undefined ? [] : newerPasswords(then, now);
  return { text: withPasswords(kept.text, newer), newer, own: passwordFiles(then) };
}

/** What was verified last by the receipt; undefined where its record is not here or not whole. */
async function runningModel(world: World, statePath: string, project: string): Promise<ComposeModel | undefined> {
  const last = receiptFor(project, await readReceipt(world, statePath))?.deployment;
  const record = (await knownHistory(world, statePath)).find(({ id }) => id === last)?.record;
  const kept = record && (await readWholeModel(world, statePath, record));
  return kept && "text" in kept ? modelOf(kept.text) : undefined;
}

/** The names of secrets that hold a newer password, of which more is told than that they changed. */
export function otherSecrets({ model }: Facts, { newer }: RecordedModel): ReadonlySet<string> {
  const holds = (text: string) => newer.some(({ to }) => text.includes(to));
  const names = [...namedSecrets(model)].flatMap(([name, secret]) =>
    secret.kind === "value" && holds(secret.value.reveal()) ? [name] : [],
  );
  return new Set(names);
}
