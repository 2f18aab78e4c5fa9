import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAtLeast } from "../../src/guard/request/api-version.ts";
import { allEscapes } from "../guard/escapes/all.ts";
import { create, type Escape, type Expectation, escapeClasses } from "../guard/escapes/escape.ts";
import { createdId, enginePath, type GuardedWorld, makeGuardedWorld } from "../guard/escapes/guarded-world.ts";
import { closedByNewerEngines } from "../guard/escapes/newer-engines.ts";
import { changes, containerText, field, type Observed, observe, read } from "../guard/escapes/observe.ts";
import { exchange, type RawAnswer, send } from "../guard/escapes/raw-client.ts";
import type { World } from "../guard/escapes/world.ts";
import { someOf } from "../support/some-of.ts";

const classNames = Object.keys(escapeClasses);

let guarded: GuardedWorld;
let world: World;

beforeAll(async () => {
  guarded = await makeGuardedWorld();
  world = guarded.world;
});

afterAll(() => guarded?.dispose());

function escapesOf(name: string): Escape[] {
  return allEscapes(world).filter((each) => each.class === name);
}

/** What an answer tells although the request did not say it: secrets, and ids of what belongs to others. */
function leaks({ bytes }: RawAnswer, { request }: Escape): string[] {
  const said = JSON.stringify(request);
  const secrets = [world.canary, world.foreign.id, world.foreignImage.id, world.foreignNetwork.id];
  return secrets
    .filter((secret) => bytes.includes(secret) && !said.includes(secret))
    .map((secret) => `tells ${secret}`);
}

describe("through the guard, on a real engine", () => {
  test.each(classNames)("no escape of the class %s has an effect", async (name) => {
    const harmless = await inspectedContainer(guarded.socketOf("wide"));
    const problems: string[] = [];
    let before = await observe(world);
    for (const each of escapesOf(name)) {
      const answer = await send(guarded.socketOf(each.policy), each.request);
      const created = each.expect.kind === "contained" ? await takeAway(answer) : undefined;
      const after = await observe(world);
      const wrong = [
        ...leaks(answer, each),
        ...changes(before, after).filter((change) => !isOwn(each, change)),
        ...differences(created, harmless, each.expect),
        ...(isExpected(answer, each.expect) ? [] : [`is answered ${answer.status} ${answer.body}`]),
      ];
      problems.push(...wrong.map((what) => `${each.tries}: ${what}`));
      before = after;
    }
    expect(problems).toEqual([]);
    expect(guarded.complaints).toEqual([]);
  });
});

// Without this nobody would know whether a request is harmless because of the guard, or because it was misspelled.
describe("straight at the engine", () => {
  test.each(classNames)("escapes of the class %s have the effect that the guard takes from them", async (name) => {
    const harmless = [await inspectedText({}), await inspectedText({ host: {} })];
    harmless.push(await inspectedText({ host: { NetworkMode: world.network.name } }));
    const closed = isAtLeast(world.apiVersion, "1.45") ? closedByNewerEngines : new Set();
    const effective = escapesOf(name).flatMap(({ unguarded, tries }, at) =>
      isEffective(unguarded) && !closed.has(tries) ? [at] : [],
    );
    expect(effective.length).toBeGreaterThan(5);
    const problems: string[] = [];
    for (const at of someOf(effective, 3)) {
      const each = escapesOf(name)[at];
      if (each !== undefined && !(await hasEffect(each, harmless))) problems.push(each.tries);
    }
    expect(problems).toEqual([]);
  });
});

function isEffective(unguarded: Escape["unguarded"]): boolean {
  return unguarded === "effect" || unguarded === "answer";
}

/** Sends an escape to the engine, looks until something has come of it, and makes the world whole again. */
async function hasEffect(each: Escape, harmless: readonly string[]): Promise<boolean> {
  const before = await observe(world);
  const running = exchange(enginePath, each.request);
  let closed = false;
  void running.answer.finally(() => {
    closed = true;
  });
  let changed: string[] = [];
  for (let look = 0; look < 200; look += 1) {
    const last = closed;
    const after = await observe(world);
    const seen = changes(before, after).filter((change) => !isHarmless(change, after, harmless));
    // What stays open has had its effect when that does not change any more.
    const settled = seen.length > 0 && isDeepStrictEqual(seen, changed);
    changed = seen;
    // A command that runs on its own does its work after the answer: that nothing has come of it yet says little.
    const done = last && seen.length > 0;
    if (done || settled || leaks(running.soFar(), each).length > 0 || isAnswered(each, running.soFar())) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  running.end();
  const leaked = leaks(running.soFar(), each).length > 0;
  world = await guarded.restore(changed.some((change) => !change.startsWith("new ")));
  return leaked || changed.length > 0 || isAnswered(each, running.soFar());
}

function isAnswered({ unguarded }: Escape, { status }: RawAnswer): boolean {
  return unguarded === "answer" && (status === 101 || (status >= 200 && status < 300));
}

/** A container that is the same as one that asked for nothing is no effect. */
function isHarmless(change: string, after: Observed, harmless: readonly string[]): boolean {
  return change.startsWith("new container ") && harmless.includes(after.get(change.slice("new ".length)) ?? "");
}

async function inspectedText(parts: Parameters<typeof create>[1]): Promise<string> {
  const id = await createdId(enginePath, create(world, parts));
  const text = containerText(await read(`containers/${id}/json`));
  await remove(id);
  return text;
}

async function inspectedContainer(socketPath: string): Promise<unknown> {
  return takeAway(await send(socketPath, create(world)));
}

/** What the engine made, which is removed at once; undefined: nothing. */
async function takeAway({ status, body }: RawAnswer): Promise<unknown> {
  if (status !== 201) return undefined;
  const id = String(field(JSON.parse(body), "Id"));
  const inspected: unknown = JSON.parse(containerText(await read(`containers/${id}/json`)));
  await remove(id);
  return inspected;
}

async function remove(id: string): Promise<void> {
  await send(enginePath, { method: "DELETE", target: `/v1.41/containers/${id}?force=1&v=1` });
}

/** A command that was prepared in our own sandbox stands in its inspection. */
function isOwn({ expect: { kind } }: Escape, change: string): boolean {
  return kind === "narrowed" && change.startsWith(`changed container ${world.mine.id}`);
}

function isExpected({ status }: RawAnswer, expected: Expectation): boolean {
  switch (expected.kind) {
    case "refused":
      return expected.status === undefined ? [400, 403, 413, 431].includes(status) : status === expected.status;
    case "said":
      return status === expected.status;
    case "answered":
      return status === 200;
    case "contained":
      return status === 201;
    case "narrowed":
      return status === 200 || status === 201;
  }
}

/** How a contained container differs from one that asked for nothing, apart from what the table says. */
function differences(created: unknown, harmless: unknown, expected: Expectation): string[] {
  if (expected.kind !== "contained") return [];
  const names = Object.keys(expected.differs);
  const parts = ["HostConfig", "Config"] as const;
  const wrong = parts.filter((part) => comparable(created, part, names) !== comparable(harmless, part, names));
  const missing = Object.entries(expected.differs).filter(([path, value]) => {
    const [name = "", inHost] = path.split(".").reverse();
    const found = field(field(created, inHost ?? "Config"), name);
    return !isDeepStrictEqual(found, value);
  });
  return [
    ...wrong.map((part) => `differs in ${part}: ${comparable(created, part, names)}`),
    ...missing.map(([path]) => `has another ${path}: ${JSON.stringify(created)}`),
  ];
}

function comparable(inspected: unknown, part: "HostConfig" | "Config", without: readonly string[]): string {
  const names = without.map((path) => (part === "HostConfig" ? path.replace(/^HostConfig\./, "") : path));
  return JSON.stringify(field(inspected, part), (key, value: unknown) => (names.includes(key) ? undefined : value));
}
