import type { Finding } from "../core/findings/finding.ts";
import { databasePassword } from "../core/plan/plan.ts";
import { dataPasswords } from "../core/secrets/data-password.ts";
import { dotenvSecrets } from "../core/secrets/secret-values.ts";
import { joinPath, type Territory } from "../core/stack/stack.ts";
import { DeployError, exitCodes } from "../errors.ts";
import { type PostgresRole, setVerifier } from "../shell/apply/postgres.ts";
import { type RotationJournal, readJournal, removeJournal } from "../shell/records/rotation-journal.ts";
import type { World } from "../world.ts";
import { withChange } from "./change.ts";
import { type GlobalFlags, readSetting, readSituation, type Situation, statePathOf, stopOnErrors } from "./prepare.ts";
import { carryOut, planOf, type UpFlags } from "./up.ts";

/** Brings the stack to what its files say now, and proves it; what the operator saw before is not said again. */
export async function applyNow(world: World, flags: UpFlags): Promise<void> {
  const silent = { ...world, reporter: { ...world.reporter, findings: () => {} } };
  const situation = await readSituation(silent, flags);
  const plan = planOf(situation, flags);
  stopOnErrors(plan.findings);
  const { waitSeconds } = flags;
  const purpose = { command: "rotate" } as const;
  await carryOut(world, situation, plan, { purpose, ...(waitSeconds === undefined ? {} : { waitSeconds }) });
}

/** The role whose password a PostgreSQL service is set up with, in its running container. */
export function postgresRole({ facts }: Situation, service: string): PostgresRole {
  const container = facts.containers.find((each) => each.service === service && each.state.running);
  const role = facts.model.services[service]?.environment["POSTGRES_USER"]?.reveal() || "postgres";
  if (container === undefined || !/^[A-Za-z_][A-Za-z0-9_-]*$/.test(role)) {
    const message = `the password of PostgreSQL in ${service} cannot be changed: ${container ? "its role has an unusual name" : "it does not run"}`;
    throw new DeployError([{ code: "D114", severity: "error", message, fix: `./deploy logs ${service}` }]);
  }
  return { service, container: container.id, role };
}

/** A rotation failed: the old values come back, and both stories are told. The journal goes only when they are back. */
export async function goBack(world: World, flags: UpFlags, territory: Territory, error: unknown): Promise<never> {
  const why = error instanceof DeployError ? error.findings : [bugFinding(error)];
  world.reporter.note("the rotation failed; bringing the old secrets back");
  const journal = await readJournal(world, territory.statePath);
  try {
    if (journal) await undo(world, flags, territory, journal);
  } catch (failure) {
    if (world.signal.aborted) throw failure;
    const also = failure instanceof DeployError ? failure.findings : [bugFinding(failure)];
    const message = "the rotation failed, and the old secrets could not be brought back";
    const fix = "mend what is said above; the next ./deploy up tries again";
    throw new DeployError([...why, ...also, { code: "D115", severity: "error", message, fix }], exitCodes.failed);
  }
  const names = journal?.names.join(", ") ?? "";
  const message = `the rotation failed, and the old value of ${names} is back: the stack runs as before, verified`;
  const fix = "mend what is said above, then rotate again";
  throw new DeployError([...why, { code: "D114", severity: "error", message, fix }], exitCodes.failed);
}

function bugFinding(error: unknown): Finding {
  const message = error instanceof Error ? error.message : String(error);
  return { code: "D114", severity: "error", message };
}

/** Puts everything back that a rotation may have changed; safe to repeat. */
async function undo(world: World, flags: UpFlags, territory: Territory, journal: RotationJournal): Promise<void> {
  const { statePath, envPath, secretsPath } = territory;
  const { phase, before, after, databases } = journal;
  world.reporter.hide([...dotenvSecrets(before), ...dotenvSecrets(after)]);
  if (phase === "database" || phase === "environment") await restoreDatabases(world, flags, databases);
  if (phase === "environment") {
    const now = await world.files.read(envPath);
    // A file that somebody edited meanwhile has more in it than this rotation: it stays, and they are told.
    await world.files.sweep(envPath);
    if (now === after) await world.files.writeAtomic(envPath, before, { mode: 0o600 });
    else if (now !== before) throw new DeployError([editedFinding(envPath, journal)], exitCodes.failed);
    const { facts } = await readSituation(quiet(world), flags);
    // A copy that is missing is written anew, and who reads it is recreated: it may run with either value.
    const files = journal.names.flatMap((name) => facts.model.generatedSecrets[name]?.file ?? []);
    for (const file of files) await world.files.remove(joinPath(secretsPath, file));
    await applyNow(world, { ...flags, accept: [databasePassword] });
  }
  await removeJournal(world, statePath);
}

function editedFinding(envPath: string, { names }: RotationJournal): Finding {
  return {
    code: "D115",
    severity: "error",
    message: `${envPath} was edited since the rotation of ${names.join(", ")} began, so its old lines cannot be put back`,
    fix: "write the values that the stack runs with into it, remove .deploy/rotation.json, and run ./deploy up",
  };
}

async function restoreDatabases(world: World, flags: UpFlags, databases: RotationJournal["databases"]): Promise<void> {
  if (databases.length === 0) return;
  const situation = await readSituation(quiet(world), flags);
  const passwords = dataPasswords(situation.facts.model);
  for (const { service, verifier } of databases) {
    const password = passwords.find((each) => each.service === service)?.value ?? "";
    world.reporter.hide([verifier]);
    await setVerifier(world, postgresRole(situation, service), verifier, password);
  }
}

function quiet(world: World): World {
  return { ...world, reporter: { ...world.reporter, findings: () => {} } };
}

/** Ends what an interrupted rotation left: undoes it, or takes note that it was done. Says so; without one it does nothing. */
export async function mendRotation(world: World, flags: GlobalFlags): Promise<void> {
  if ((await readJournal(world, statePathOf(world, flags))) === undefined) return;
  const { territory, project } = await readSetting(world, flags);
  const { statePath } = territory;
  const words = ["secrets", "rotate", "(undo)"];
  await withChange(world, { ...territory, project, words, changes: true }, async () => {
    const journal = await readJournal(world, statePath);
    if (journal === undefined) return;
    const names = journal.names.join(", ");
    if (journal.phase === "verified") {
      await removeJournal(world, statePath);
      world.reporter.note(`an earlier rotation of ${names} was done but for its last line: nothing to mend`);
      return;
    }
    world.reporter.note(`an earlier rotation of ${names} was interrupted: bringing the old value back`);
    await undo(world, { pull: "missing", build: "missing", accept: [], ...flags }, territory, journal);
    world.reporter.note(`the old value of ${names} is back`);
  });
}
