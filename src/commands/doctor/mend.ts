import { auditWords } from "../../core/deployment/audit.ts";
import type { Mend, Problem } from "../../core/doctor/check.ts";
import { mendNames } from "../../core/doctor/doctor-text.ts";
import { DeployError, exitCodes } from "../../errors.ts";
import { removeContainers } from "../../shell/apply/remove.ts";
import { readLocks } from "../../shell/lock/lock.ts";
import { readReceipt } from "../../shell/records/receipt.ts";
import type { World } from "../../world.ts";
import { audited, withChange } from "../change.ts";
import { offerDocker } from "../docker-offer.ts";
import { type GlobalFlags, readSetting, statePathOf } from "../prepare.ts";

type MendName = Mend["name"];

/**
 * Puts right what is safe to put right, each kind after a question, and returns what was done. What is in the folder is one
 * step each that can be repeated; for what is on the engine the lock is taken, and looked again whether it is still too much.
 */
export async function mend(
  world: World,
  flags: GlobalFlags,
  problems: readonly Problem[],
  lookAgain: () => Promise<readonly Problem[]>,
): Promise<string[]> {
  const installed = mendNames(problems).includes("install-docker") ? await installDocker(world, flags, problems) : [];
  // Nothing else that was seen holds once Docker is there.
  if (installed.length > 0) return installed;
  const agreed = await agreedNames(world, flags, problems);
  if (agreed.length === 0) return [];
  const statePath = statePathOf(world, flags);
  const project = await projectOf(world, flags, statePath);
  const words = auditWords("doctor", { ...flags, fix: true });
  const change = { statePath, project: project ?? "", words, changes: true };
  const wanted = mendsOf(problems).filter(({ name }) => agreed.includes(name));
  const here = wanted.filter(({ name }) => name !== "leftovers");
  const done =
    here.length === 0 ? [] : await audited(world, change, () => putAllRight(world, here, { statePath, project }));
  if (!agreed.includes("leftovers")) return done;
  const removed = await withChange(world, change, async () => {
    const still = mendsOf(await lookAgain()).filter(({ name }) => name === "leftovers");
    return putAllRight(world, still, { statePath, project });
  });
  return [...done, ...removed];
}

function mendsOf(problems: readonly Problem[]): Mend[] {
  return problems.flatMap(({ mend: each }) => each ?? []);
}

/** Asks about each kind by its name; nobody there to answer is a No. */
async function agreedNames(world: World, flags: GlobalFlags, problems: readonly Problem[]): Promise<MendName[]> {
  const agreed: MendName[] = [];
  for (const name of mendNames(problems).filter((each) => each !== "install-docker")) {
    const steps = mendsOf(problems).filter((each) => each.name === name);
    const text = `${name}: ${steps.map(stepText).join("; ")}. Do that?`;
    const answer = flags.yes ? true : await world.reporter.confirm({ text, flag: "--yes" });
    if (answer === true) agreed.push(name);
    else
      world.reporter.note(
        `not mended: ${name}${answer === undefined ? "; nobody can be asked here: --yes agrees" : ""}`,
      );
  }
  return agreed;
}

function stepText(mend: Mend): string {
  switch (mend.name) {
    case "file-modes":
      return `chmod ${mend.mode} ${mend.path}`;
    case "missing-folders":
      return `make the empty folder ${mend.path}`;
    case "stale-lock":
      return `remove ${mend.where}`;
    case "leftovers":
      return `remove the container ${mend.container}`;
    case "install-docker":
      return "install Docker Engine, Compose and buildx";
  }
}

/** The offer asks by itself, and shows what would be done; that it is declined is no reason to show nothing else. */
async function installDocker(world: World, flags: GlobalFlags, problems: readonly Problem[]): Promise<string[]> {
  const missing = problems.filter(({ mend: each }) => each?.name === "install-docker");
  try {
    await offerDocker(world, flags, new DeployError(missing));
    return [stepText({ name: "install-docker" })];
  } catch (error) {
    if (!(error instanceof DeployError) || error.exitCode !== exitCodes.refused) throw error;
    world.reporter.note(`not mended: install-docker; ${error.findings[0]?.fix ?? "declined"}`);
    return [];
  }
}

interface Place {
  readonly statePath: string;
  /** Without one only the locks of the folder are known. */
  readonly project: string | undefined;
}

async function putAllRight(world: World, mends: readonly Mend[], place: Place): Promise<string[]> {
  for (const each of mends) await putRight(world, each, place);
  return mends.map(stepText);
}

async function putRight(world: World, mend: Mend, place: Place): Promise<void> {
  switch (mend.name) {
    case "file-modes":
      return changeMode(world, mend.path, mend.mode);
    case "missing-folders":
      return world.files.makeDirectory(mend.path, 0o755);
    case "leftovers":
      return removeContainers(world, [mend.id]);
    case "stale-lock":
      return removeDeadLock(world, mend.where, place);
    case "install-docker":
      return;
  }
}

async function changeMode(world: World, path: string, mode: string): Promise<void> {
  const { exitCode, stderr } = await world.run({ program: "chmod", args: [mode, "--", path], env: world.env });
  if (exitCode === 0) return;
  const message = `the mode of ${path} could not be changed: ${stderr.trim() || `exit ${exitCode}`}`;
  throw new DeployError([{ code: "D049", severity: "error", message, fix: "run this as the owner of that file" }]);
}

/** Somebody may have taken it over since it was looked at: then it is no longer dead. */
async function removeDeadLock(world: World, wanted: string, place: Place): Promise<void> {
  const dead = (await readLocks(world, place)).find(({ where, fate }) => where === wanted && fate === "dead");
  await dead?.remove();
}

/** The project whose locks are meant, if any is known. */
async function projectOf(world: World, flags: GlobalFlags, statePath: string): Promise<string | undefined> {
  try {
    return (await readSetting(world, flags)).project;
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return flags.project ?? (await readReceipt(world, statePath))?.project;
  }
}
