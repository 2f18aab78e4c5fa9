import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decide } from "../../src/guard/decision/decide.ts";
import { judgeAgain } from "../../src/guard/decision/judge-again.ts";
import { allEscapes } from "./escapes/all.ts";
import { makeFolders } from "./escapes/engine-world.ts";
import { create, type Escape, type Expectation, escapeClasses } from "./escapes/escape.ts";
import { containedBody, differingBody, policyOf } from "./escapes/policy.ts";
import { type RawAnswer, send } from "./escapes/raw-client.ts";
import { daemonWorld } from "./escapes/recorded-world.ts";
import { inventedWorld, type World } from "./escapes/world.ts";
import { startRig } from "./support/guard-rig.ts";
import type { RecordedRequest } from "./support/recording-daemon.ts";

/** What happened to one request: what the client got, what the guard asked by itself, and what it sent for the client. */
interface Tried {
  readonly escape: Escape;
  readonly answer: RawAnswer;
  readonly asked: readonly RecordedRequest[];
  readonly forwarded: readonly RecordedRequest[];
  readonly stray: string;
}

const listed = allEscapes(inventedWorld).map(({ class: name, tries }) => ({ name, tries }));
const tried = new Map<string, Tried>();
let folder = "";
let world: World = inventedWorld;

// Every request goes to the guard once, in the order of the tables; each test looks at what became of one.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "escapes-"));
  world = { ...inventedWorld, ...(await makeFolders(folder, inventedWorld.canary)) };
  const escapes = allEscapes(world);
  for (const width of ["wide", "narrow"] as const) {
    const policy = policyOf(world, width);
    const rig = await startRig({ policy, decide, judge: judgeAgain, world: daemonWorld(world) });
    for (const each of escapes.filter(({ policy: wanted = "wide" }) => wanted === width)) {
      rig.daemon.forget();
      const answer = await send(rig.socketPath, each.request);
      const asked = rig.daemon.requests.filter(({ question }) => question);
      tried.set(each.tries, {
        ...{ escape: each, answer, asked, forwarded: rig.daemon.forwarded(), stray: rig.daemon.strayBytes() },
      });
    }
    expect(rig.complaints).toEqual([]);
    await rig.close();
  }
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

function outcomeOf(tries: string): Tried {
  const outcome = tried.get(tries);
  if (outcome === undefined) throw new Error(`${tries} was not sent`);
  return outcome;
}

/** What the guard may ask the engine by itself while it decides: nothing but reading one thing that a policy can name. */
const questions =
  /^GET \/v1\.41\/(?:containers\/(?:[A-Za-z0-9_.-]+\/json|json\?all=1&filters=[^&]*sandbox-deploy\.guard[^&]*)|images\/[A-Za-z0-9_.:@/-]+\/json|exec\/[0-9a-f]{64}\/json)$/;

describe("the tables of escapes", () => {
  test("have at least two hundred different requests, and each class has some", () => {
    const requests = [...tried.values()].map(({ escape: { request, policy } }) => JSON.stringify([request, policy]));
    expect(new Set(listed.map(({ tries }) => tries)).size).toBe(listed.length);
    expect(new Set(requests).size).toBe(listed.length);
    expect(listed.length).toBeGreaterThanOrEqual(200);
    expect(new Set(listed.map(({ name }) => name))).toEqual(new Set(Object.keys(escapeClasses)));
  });

  test("fail each by a rule that is written down", async () => {
    const lines = listed.map(({ name, tries }) => `${name} | ${tries} | ${ruleOf(outcomeOf(tries))}`);
    await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("escapes/rules.txt");
  });

  // Written anew with `-u`, like the regions of the README.
  test("are the table in SECURITY.md", async () => {
    const path = join(import.meta.dirname, "../../SECURITY.md");
    const [before, rest] = (await readFile(path, "utf8")).split("<!-- escapes -->\n");
    const [, after] = rest?.split("<!-- /escapes -->\n") ?? [];
    const text = [before, "<!-- escapes -->\n", ...classTable(), "<!-- /escapes -->\n", after].join("");
    await expect(text).toMatchFileSnapshot(path);
  });
});

describe.each(Object.keys(escapeClasses))("escapes of the class %s", (name) => {
  const rows = listed.filter((each) => each.name === name);
  test.each(rows)("it fails: $tries", ({ tries }) => {
    const { escape: each, answer, asked, forwarded, stray } = outcomeOf(tries);
    for (const { method, target, body } of asked) {
      expect(`${method} ${target}`).toMatch(questions);
      expect(body).toHaveLength(0);
    }
    expectOutcome(each, answer, forwarded);
    expect(stray).toBe("");
  });
});

describe("a container within the policy", () => {
  test("reaches the engine as the one body that every contained escape is compared with", async () => {
    const rig = await startRig({ policy: policyOf(world), decide, judge: judgeAgain, world: daemonWorld(world) });
    const { status } = await send(rig.socketPath, create(world));
    const forwarded = rig.daemon.forwarded();
    await rig.close();
    expect(status).toBe(201);
    expectCreated(forwarded, containedBody(world));
  });
});

/** One row for each class: how many requests, how many of them do harm at the engine itself, and which rules stop them. */
function classTable(): string[] {
  const rows = Object.entries(escapeClasses).map(([name, about]) => {
    const own = [...tried.values()].filter(({ escape: each }) => each.class === name);
    const harmful = own.filter(({ escape: { unguarded } }) => typeof unguarded === "string").length;
    const rules = own.map((each) => /^\d+ ([a-z-]+)\./.exec(ruleOf(each))?.[1]);
    const families = [...new Set(rules.filter((rule) => rule !== undefined))].sort();
    return `| ${name} | ${about} | ${own.length} | ${harmful} | ${families.map((rule) => `\`${rule}\``).join(" ")} |\n`;
  });
  const all = [...tried.values()];
  const harmful = all.filter(({ escape: { unguarded } }) => typeof unguarded === "string").length;
  return [
    "| class | what it is about | requests | with an effect past the guard | stopped by rules of |\n",
    "|---|---|--:|--:|---|\n",
    ...rows,
    `| | | ${all.length} | ${harmful} | |\n`,
  ];
}

function ruleOf({ answer, forwarded }: Tried): string {
  if (forwarded.length > 0) return "contained";
  const rule = /\(rule ([a-z0-9.-]+)\)/.exec(answer.body)?.[1];
  return `${answer.status}${rule === undefined ? "" : ` ${rule}`}`;
}

function expectOutcome(
  { expect: expected, request }: Escape,
  answer: RawAnswer,
  forwarded: readonly RecordedRequest[],
): void {
  // An answer to HEAD has no body.
  const body = request.method === "HEAD" ? undefined : answer.body;
  switch (expected.kind) {
    case "refused":
      expect(forwarded).toEqual([]);
      if (body !== undefined) expect(body).toContain(`(rule ${expected.rule}`);
      expect(expected.status === undefined ? [400, 403, 413, 431] : [expected.status]).toContain(answer.status);
      return;
    case "said":
      expect(forwarded).toEqual([]);
      expect(answer.status).toBe(expected.status);
      if (body !== undefined) expect(JSON.parse(body)).toEqual({ message: expected.message });
      return;
    case "answered":
      expect(forwarded).toEqual([]);
      expect(answer.status).toBe(200);
      expect(body).not.toContain(world.canary);
      return;
    case "contained":
      expectCreated(forwarded, differingBody(world, expected.differs));
      return;
    case "narrowed":
      expect(forwarded.map(narrow)).toEqual([expected]);
      return;
  }
}

function expectCreated(forwarded: readonly RecordedRequest[], body: unknown): void {
  expect(forwarded.map(({ method, target }) => `${method} ${target}`)).toEqual([
    `POST /v1.41/containers/create?name=${world.names.escape}`,
  ]);
  expect(forwarded.map((each) => JSON.parse(each.body.toString()))).toEqual([body]);
}

function narrow({ method, target, body }: RecordedRequest): Expectation {
  const { pathname, searchParams } = new URL(target, "http://engine");
  const query = Object.fromEntries(
    [...searchParams].map(([name, value]) => [name, name === "filters" ? JSON.parse(value) : value]),
  );
  const sent = body.length === 0 ? {} : { body: JSON.parse(body.toString()) };
  return { kind: "narrowed", method, path: pathname, query, ...sent };
}
