import { setInEnvFile } from "../core/env/env-edit.ts";
import type { Finding } from "../core/findings/finding.ts";
import { databasePassword, type Plan } from "../core/plan/plan.ts";
import { rotationFinding, rotationText } from "../core/secrets/rotation.ts";
import type { ListedSecret } from "../core/secrets/secret-list.ts";
import { usersOfSecret } from "../core/secrets/secret-list.ts";
import { DeployError, type ExitCode, exitCodes } from "../errors.ts";
import { newSecret } from "../shell/apply/apply.ts";
import { logIn, readVerifier, scramVerifier, setVerifier } from "../shell/apply/postgres.ts";
import { type RotationJournal, removeJournal, writeJournal } from "../shell/records/rotation-journal.ts";
import { type ReadSecrets, readSecrets } from "../shell/records/secret-setting.ts";
import type { World } from "../world.ts";
import { withChange } from "./change.ts";
import { readSituation, type Situation, stopOnErrors } from "./prepare.ts";
import { applyNow, goBack, mendRotation, postgresRole } from "./rotation-steps.ts";
import { unknownSecret } from "./unknown-secret.ts";
import { planOf, type UpFlags } from "./up.ts";

/** Gives secrets new values, and every service that uses them a new container; whatever fails brings the old ones back. */
export async function rotate(
  world: World,
  flags: UpFlags & { readonly all?: boolean },
  names: readonly string[],
): Promise<ExitCode> {
  await mendRotation(world, flags);
  const situation = await readSituation(world, flags);
  const plan = planOf(situation, flags);
  stopOnErrors(plan.findings);
  stopUnlessAsPlanned(plan);
  const { territory, stack, project } = situation;
  const read = await readSecrets(world, territory, stack);
  const chosen = choose(world, read, names, flags.all ?? false);
  world.reporter.note(rotationText(chosen));
  const words = ["secrets", "rotate", ...chosen.map(({ name }) => name)];
  // Until the lock is held somebody may deploy, or write a file, that would be applied along with the new values.
  const check = async () => stopUnlessAsPlanned(planOf(await readSituation(world, flags), flags));
  await withChange(world, { ...territory, project, words, changes: true, check }, () =>
    change(world, flags, situation, read, chosen),
  );
  const services = [...new Set(chosen.flatMap(usersOfSecret))].toSorted();
  const rotated = chosen.map(({ name }) => name);
  const run = services.length === 1 ? "runs" : "run";
  const values = rotated.length === 1 ? "the new value" : "the new values";
  world.reporter.result(`rotated ${rotated.join(", ")}; ${services.join(", ")} ${run} with ${values}`, {
    ...{ version: 1, exitCode: 0, rotated, services },
  });
  return exitCodes.done;
}

/** What else would be applied with the new value could be what fails, and the way back would not be one. */
function stopUnlessAsPlanned(plan: Plan): void {
  if (plan.steps.length === 0) return;
  const message = "the stack does not run as planned, so that a rotation would change more than secrets";
  throw new DeployError([{ code: "D113", severity: "error", message, fix: "run ./deploy up first" }]);
}

function choose(
  world: World,
  { secrets, input }: ReadSecrets,
  names: readonly string[],
  all: boolean,
): readonly ListedSecret[] {
  if (all === names.length > 0) {
    const message = "secrets rotate needs the names of secrets, or --all";
    throw new DeployError([{ code: "D001", severity: "error", message, fix: "./deploy secrets list shows them" }]);
  }
  const known = secrets.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new DeployError(unknown.map((name) => unknownSecret(name, known)));
  const judged = secrets
    .filter(({ name, generated }) => (all ? generated : names.includes(name)))
    .map((secret) => ({ secret, finding: rotationFinding(secret, input.exported.has(secret.name)) }));
  const refused = judged.flatMap(({ finding }) => finding ?? []);
  const chosen = judged.flatMap(({ secret, finding }) => (finding ? [] : [secret]));
  if (refused.length > 0 && (!all || chosen.length === 0)) throw new DeployError(refused, exitCodes.refused);
  world.reporter.findings(
    refused.map((finding): Finding => ({ ...finding, severity: "info" })),
    0,
  );
  return chosen;
}

async function change(
  world: World,
  flags: UpFlags,
  situation: Situation,
  read: ReadSecrets,
  chosen: readonly ListedSecret[],
): Promise<void> {
  const { statePath, envPath } = situation.territory;
  const before = (await world.files.read(envPath)) ?? "";
  const values = new Map(chosen.map(({ name }) => [name, newSecret(world, read.model, name)]));
  world.reporter.hide(values.values());
  const after = [...values].reduce(
    (text, [name, value]) => setInEnvFile(text, name, value, read.input.exported),
    before,
  );
  const databases = await Promise.all(chosen.flatMap((secret) => databasesOf(world, situation, secret)));
  const journal: RotationJournal = {
    ...{ version: 1, names: [...values.keys()], phase: "begun", before, after },
    databases: databases.map(({ role, old }) => ({ service: role.service, role: role.role, verifier: old })),
  };
  await writeJournal(world, statePath, journal);
  try {
    if (databases.length > 0) await writeJournal(world, statePath, { ...journal, phase: "database" });
    for (const { role, name, password } of databases) {
      const value = values.get(name) ?? "";
      await setVerifier(world, role, scramVerifier(value, world.randomBytes(16)), password);
      await logIn(world, role, value);
    }
    await writeJournal(world, statePath, { ...journal, phase: "environment" });
    await world.files.writeAtomic(envPath, after, { mode: 0o600 });
    await applyNow(world, { ...flags, accept: [databasePassword] });
    await writeJournal(world, statePath, { ...journal, phase: "verified" });
  } catch (error) {
    // What was interrupted is mended by the next command: nothing can be asked of docker any more.
    if (world.signal.aborted) throw error;
    await goBack(world, flags, situation.territory, error);
  }
  await removeJournal(world, statePath);
}

/** The databases that keep a secret, with what they keep. */
function databasesOf(world: World, situation: Situation, { name, passwords }: ListedSecret) {
  return passwords.map(async ({ service, value = "" }) => {
    const role = postgresRole(situation, service);
    return { role, name, password: value, old: await readVerifier(world, role, value) };
  });
}
