import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { halfWritten } from "../support/half-written.ts";
import { someOf } from "../support/some-of.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const at = (path: string) => join(workbench().folder, path);
const hook = `--import ${new URL("support/stop-at-write.mjs", import.meta.url).href}`;

/** A command that changes something, and what makes it do so again after it was stopped and mended. */
interface Story {
  readonly what: string;
  readonly args: readonly string[];
  /** Makes ready for another round, before the up that mends, or after it. */
  beforeUp?(round: number): Promise<unknown>;
  afterUp?(round: number): Promise<unknown>;
  /** Commands that have to work next, one after another from round to round; `up` follows, unless it is that. */
  readonly next: readonly (readonly string[])[];
}

async function ok(...args: string[]): Promise<string> {
  const { exitCode, stderr } = await workbench().deploy(...args);
  expect(`${args.join(" ")}: ${exitCode}\n${stderr}`).toMatch(/^[^:]*: 0\n/);
  return stderr;
}

/** Gives the environment file another line, so that there is something to deploy. */
async function edit(round: number): Promise<void> {
  const env = (await workbench().read(".env")).replace(/RATE_LIMIT_PER_MINUTE=.*\n/, "");
  await workbench().write(".env", `${env}RATE_LIMIT_PER_MINUTE=${100 + round}\n`);
}

const stories: Story[] = [
  { what: "up", args: ["up"], afterUp: edit, next: [["up"], ["rollback", "--yes"], ["down"]] },
  {
    what: "rollback",
    args: ["rollback", "--yes"],
    beforeUp: edit,
    next: [["rollback", "--yes"], ["up"], ["down"]],
  },
  { what: "down", args: ["down"], next: [["down"], ["up"]] },
  {
    what: "secrets rotate",
    args: ["secrets", "rotate", "STORE_PASSWORD"],
    beforeUp: () => workbench().remember(),
    next: [["rollback", "--yes"], ["down"], ["secrets", "rotate", "STORE_PASSWORD"], ["up"]],
  },
];

/** Runs a command that is killed just before its n-th change of a name, if it makes so many; returns all that it began. */
async function stopped(args: readonly string[], count: number): Promise<string[]> {
  const log = at(`../writes-${count}`);
  await workbench().deployWith({ NODE_OPTIONS: hook, STOP_LOG: log, STOP_AT: String(count) }, ...args);
  return (await readFile(log, "utf8")).trim().split("\n").map(pointOf);
}

/** A change without what differs from run to run. */
function pointOf(line: string): string {
  return line
    .replace(workbench().folder, "")
    .replace(/\d{8}-\d{6}-[0-9a-f]{4}/, "ID")
    .replace(/\.\d+-\d+\.[0-9a-f]{12}\.tmp$/, ".tmp")
    .replace(/\/(files|mounted|secrets)\/.*/, "/$1/…");
}

/** The values that must not change silently, and each copy of them. */
async function secrets(): Promise<Record<string, string | undefined>> {
  const env = await workbench().read(".env");
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(env)?.[1];
  const copy = (name: string) => readFile(at(`.deploy/secrets/${name}`), "utf8");
  expect(await copy("store_password")).toBe(value("STORE_PASSWORD"));
  expect(await copy("gateway_api_key")).toBe(value("GATEWAY_API_KEY"));
  return { store: value("STORE_PASSWORD"), gateway: value("GATEWAY_API_KEY") };
}

async function leftOvers(): Promise<string[]> {
  const names = [...(await readdir(at("."))), ...(await readdir(at(".deploy"), { recursive: true }))];
  return names.filter((name) => /(^|\/)(lock|rotation\.json)$|\.tmp$/.test(name));
}

describe("SIGKILL before a change in the file system", () => {
  test.each(stories)(
    "in the middle of $what is mended by the next command: nothing is half-written, no secret changes, nothing is left",
    { timeout: 1_200_000 },
    async ({ args, beforeUp, afterUp, next }) => {
      workbench().openFrontDoor("local");
      await ok("up");
      await edit(0);
      await ok("up");
      await beforeUp?.(1);
      await ok("up");
      await afterUp?.(1);
      // Once to its end, to know of each kind of change where it first comes.
      const changes = await stopped(args, 0);
      const first = [...new Set(changes)].map((point) => changes.indexOf(point) + 1);
      expect(first.length).toBeGreaterThan(4);
      await beforeUp?.(2);
      await ok("up");
      await afterUp?.(2);
      for (const [round, count] of someOf(spread(first), 2).entries()) {
        const before = await secrets();
        const told = `${args.join(" ")}, stopped at ${changes[count - 1]}`;
        await stopped(args, count);
        expect(await halfWritten(at(".deploy")), told).toEqual([]);
        const command = next[round % next.length] ?? ["up"];
        await ok(...command);
        await beforeUp?.(round + 3);
        if (command[0] !== "up" || beforeUp !== undefined) await ok("up");
        const after = await secrets();
        expect(after.gateway, told).toBe(before.gateway);
        // A rotation that was proved already is done.
        if (args[0] !== "secrets") expect(after.store, told).toBe(before.store);
        expect(await leftOvers(), told).toEqual([]);
        const { deployments } = JSON.parse((await workbench().deploy("history", "--json")).stdout);
        expect(
          deployments.filter(({ runs }: { runs: boolean }) => runs),
          told,
        ).toHaveLength(1);
        await afterUp?.(round + 3);
      }
    },
  );
});

/** The points in another order, so that the first few of them are not all of the same part. */
function spread(points: readonly number[]): number[] {
  const step = Math.ceil(points.length / 3);
  return points.map(
    (_, index) => points[(index * step + Math.floor((index * step) / points.length)) % points.length] ?? 1,
  );
}
