import { claimArgv, claimName, claimsArgv, parseClaims, unclaimArgv } from "../../core/deployment/lock-argv.ts";
import { type Holder, type Holding, isBefore } from "../../core/deployment/lock-holder.ts";
import { dockerOrStop } from "../engine/engine.ts";
import { holdingOf, type LockWorld, noteLeftOver } from "./lock-holder.ts";

/** How often whoever comes first looks whether the others, who came at the same time, have stepped back. */
const looksMax = 20;
const lookMilliseconds = 100;

/** A claim to a project that is there. */
export interface Claim extends Holding {
  readonly name: string;
}

/**
 * Claims a project on its engine, or tells who has it. Everybody first makes a claim of a name of its own and looks at the
 * others' afterwards, so that of two at least one sees the other; see docs/decisions/0022.
 */
export async function claimProject(world: LockWorld, me: Holder): Promise<Holding | undefined> {
  const name = claimName(me.project, me.token);
  try {
    await dockerOrStop(world, claimArgv(name, me.project, JSON.stringify(me)));
    const rival = await rivalOf(world, me, name);
    if (rival !== undefined) await unclaim(world, [name]);
    return rival;
  } catch (error) {
    await unclaim(world, [name]);
    throw error;
  }
}

/** Gives a project free; what cannot be removed is recognised as left over once this process has ended. */
export async function releaseProject(world: LockWorld, me: Holder): Promise<void> {
  const names = [claimName(me.project, me.token)];
  // An engine that is just started anew, or a connection that broke, is no reason to leave it.
  const failure = (await unclaim(world, names)) && (await unclaim(world, names));
  if (failure !== undefined)
    world.reporter.note(`the lock on the engine could not be removed (${failure}); the next deploy takes it over`);
}

/** Every claim to a project, those of the dead included. */
export async function readClaims(world: LockWorld, project: string): Promise<Claim[]> {
  const rows = parseClaims(await dockerOrStop(world, claimsArgv(project)));
  return Promise.all(
    rows.map(async ({ name, holder }) => ({ name, ...(await holdingOf(world, `the volume ${name}`, holder)) })),
  );
}

/** Removes claims by name, also while the command is ending; the reason where that failed. */
export async function unclaim(world: LockWorld, names: readonly string[]): Promise<string | undefined> {
  const command = { program: "docker", args: unclaimArgv(names), env: world.env };
  const { exitCode, stderr } = await world.run(command, { lastly: true });
  return exitCode === 0 ? undefined : stderr.trim().split("\n").at(-1) || `exit ${exitCode}`;
}

/** Who keeps this claim from counting; the first of those who came at the same time waits for the others to step back. */
async function rivalOf(world: LockWorld, me: Holder, name: string): Promise<Holding | undefined> {
  for (let look = 1; ; look += 1) {
    const rivals = await livingClaims(world, me.project, name);
    const [first] = rivals.filter(({ holder }) => holder === undefined || isBefore(holder, me));
    if (first !== undefined || look === looksMax) return first ?? rivals[0];
    if (rivals.length === 0) return undefined;
    await world.sleep(lookMilliseconds);
  }
}

/** The other claims, the earliest first; those of the dead are removed, which their names make safe at any time. */
async function livingClaims(world: LockWorld, project: string, own: string): Promise<Claim[]> {
  const others = (await readClaims(world, project)).filter(({ name }) => name !== own);
  const dead = others.filter(({ fate }) => fate === "dead");
  for (const claim of dead) noteLeftOver(world, claim);
  if (dead.length > 0)
    await unclaim(
      world,
      dead.map(({ name }) => name),
    );
  return others
    .filter(({ fate }) => fate !== "dead")
    .toSorted((left, right) => (left.holder?.at ?? 0) - (right.holder?.at ?? 0));
}
