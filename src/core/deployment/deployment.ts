import "../schema-settings.ts";
import * as z from "zod";
import { modes } from "../detect/mode.ts";
import type { Finding } from "../findings/finding.ts";
import { guardRepository, isGuardImage } from "../privileges/guard-grants.ts";
import { privilegeKinds } from "../privileges/privilege.ts";
import { timeStamp } from "../text/time-stamp.ts";

/** How an id of a deployment looks: time in UTC and four random digits, so that ids sort by time. */
export const deploymentIdPattern: RegExp = /^\d{8}-\d{6}-[0-9a-f]{4}$/;

const id = z.string().regex(deploymentIdPattern);
/** A copy's name inside its folder of the record: a plain one, since it becomes a part of a path. */
const copyName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/);
const texts = z.record(z.string(), z.string());

const deploymentSchema = z.object({
  version: z.literal(1),
  id,
  command: z.enum(["up", "rollback", "rotate"]),
  /** The deployment that a rollback went back to. */
  of: id.optional(),
  outcome: z.enum(["begun", "done", "failed", "rolled-back"]),
  begun: z.string(),
  ended: z.string().optional(),
  durationMilliseconds: z.number().optional(),
  who: z.string(),
  host: z.string(),
  /** The process that deploys; while it runs, a deployment that has only begun goes on. */
  process: z.object({ pid: z.int(), started: z.string() }),
  /** The engine's own id; empty where it did not tell. */
  engineId: z.string(),
  toolVersion: z.string(),
  project: z.string(),
  namePrefix: z.string().optional(),
  mode: z.enum(modes),
  because: z.string(),
  composeVersion: z.string().optional(),
  stack: z.object({
    files: z.array(z.string()),
    envPath: z.string(),
    variables: texts,
    images: z.enum(["registry", "local"]),
  }),
  services: z.array(z.string()),
  /** The files that decided what was deployed; `hash` says how it was made, and `copy` is a name in `files/`. */
  sources: z.array(z.object({ path: z.string(), hash: z.string(), copy: copyName })),
  /** Files of the host that containers mount; `copy` is a name in `mounted/`, `hash` a keyed one, which earlier versions did not write. */
  mounted: z.array(z.object({ path: z.string(), copy: copyName, hash: z.string().optional() })),
  /** A keyed fingerprint of the merged model as it was kept; earlier versions did not write it down. */
  modelHash: z.string().optional(),
  /** Compose's hash of each service. */
  hashes: texts,
  /** What each service runs, or is only built for, such as sandboxes; `tag` keeps it on the engine. */
  images: z.record(z.string(), z.object({ id: z.string(), reference: z.string(), tag: z.string().optional() })),
  /** As found on the running containers, sandboxes included. */
  privileges: z.array(z.object({ service: z.string(), kind: z.enum(privilegeKinds), detail: z.string() })),
  /** A keyed fingerprint of each secret, by its name. */
  secrets: texts,
  /** Why it failed, redacted. */
  findings: z.array(z.object({ code: z.string(), message: z.string() })),
});

/** Everything that one deployment was, but for the files beside it; it holds no secret. */
export type DeploymentRecord = z.infer<typeof deploymentSchema>;

/** What a folder of the history holds: a record, or why there is none to read. */
export type HistoryEntry =
  | { readonly id: string; readonly record: DeploymentRecord }
  | { readonly id: string; readonly record: undefined; readonly problem: "damaged" | "newer" };

/** Reads a record that was unsealed; `sealed` undefined means that no seal fits. Never throws. */
export function readRecord(id: string, sealed: unknown, version: number | undefined): HistoryEntry {
  if (version !== undefined && version > 1) return { id, record: undefined, problem: "newer" };
  const parsed = deploymentSchema.safeParse(sealed);
  // A record in another record's folder says nothing about that one.
  if (!parsed.success || parsed.data.id !== id) return { id, record: undefined, problem: "damaged" };
  return { id, record: parsed.data };
}

/** Makes an id that sorts behind the newest one there is, also when the clock was set back. `time` is ISO 8601 in UTC. */
export function deploymentId(time: string, random: Uint8Array, newest: string | undefined): string {
  const own = `${timeStamp(time)}-${Buffer.from(random).toString("hex").slice(0, 4)}`;
  return newest === undefined || own > newest ? own : nextId(newest);
}

/** Counts on; the digits need not be a time that a clock would show, only the next in order. */
function nextId(id: string): string {
  const random = Number.parseInt(id.slice(16), 16) + 1;
  if (random <= 0xffff) return `${id.slice(0, 16)}${random.toString(16).padStart(4, "0")}`;
  const digits = String(Number(id.slice(0, 8) + id.slice(9, 15)) + 1).padStart(14, "0");
  return `${digits.slice(0, 8)}-${digits.slice(8)}-0000`;
}

/** How a deployment stands. One that has only begun goes on while its process lives; else something ended it early. */
export type DeploymentState = "done" | "failed" | "rolled back" | "interrupted" | "in progress";

/** Says how a deployment stands. */
export function stateOf({ outcome }: Pick<DeploymentRecord, "outcome">, alive: boolean): DeploymentState {
  switch (outcome) {
    case "begun":
      return alive ? "in progress" : "interrupted";
    case "rolled-back":
      return "rolled back";
    case "done":
    case "failed":
      return outcome;
  }
}

/** The newest deployment that was verified, if there is one. */
export function lastGood(history: readonly HistoryEntry[]): DeploymentRecord | undefined {
  const good = history.flatMap(({ record }) => (record?.outcome === "done" ? [record] : []));
  return good.toSorted((a, b) => (a.id < b.id ? 1 : -1))[0];
}

/**
 * What people mean by going back: the good deployment before the one that runs, where a rollback counts as the one that
 * it went back to, so that going back twice goes back further. Where something newer failed or was interrupted, it is the
 * newest good one itself.
 */
export function deploymentBefore(
  records: readonly DeploymentRecord[],
  running: string | undefined,
): DeploymentRecord | undefined {
  const newestFirst = records.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const good = newestFirst.filter(({ outcome }) => outcome === "done");
  const [newest] = newestFirst;
  if (running === undefined || newest?.outcome === "failed" || newest?.outcome === "begun") return good[0];
  const from = originOf(records, running);
  return good.find(({ id }) => id < from);
}

/** The deployment that an id stands for: that which was gone back to, however often. */
function originOf(records: readonly DeploymentRecord[], id: string): string {
  const of = records.find((record) => record.id === id)?.of;
  // What a rollback goes back to is older, so this ends.
  return of === undefined || of >= id ? id : originOf(records, of);
}

/** What a stack counts on: its history's newest records, and those that something refers to. */
export interface Retention {
  /** How many deployments are kept. */
  readonly keep: number;
  /** The deployment that runs, as the receipt names it. */
  readonly running: string | undefined;
  /** Ids that lie in paths which running containers name. */
  readonly mentioned: readonly string[];
}

/**
 * Ids of the records that may go: never the last good one, the one that runs, or one that a container points into. What
 * failed, and the rollbacks after it, count for themselves, so that many a failure takes no state away to go back to.
 */
export function expired(history: readonly HistoryEntry[], { keep, running, mentioned }: Retention): string[] {
  const needed = new Set([running, lastGood(history)?.id, ...mentioned]);
  const newestFirst = history.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const isState = ({ record }: HistoryEntry) => record?.outcome === "done" && record.command !== "rollback";
  const beyond = [newestFirst.filter(isState), newestFirst.filter((entry) => !isState(entry))].flatMap((entries) =>
    entries.slice(Math.max(keep, 1)),
  );
  return beyond.map(({ id }) => id).filter((id) => !needed.has(id));
}

/** Ids of records below a history's folder that a text names paths in. */
export function mentionedIds(historyPath: string, text: string): string[] {
  const ids = text.split(`${historyPath}/`).slice(1);
  return [...new Set(ids.map((rest) => rest.split("/")[0] ?? ""))].filter((id) => deploymentIdPattern.test(id));
}

/** What a word means among deployments: one, or those that it could mean. */
export type FoundDeployment = { readonly entry: HistoryEntry } | { readonly candidates: readonly string[] };

/** Finds the one deployment that a word means: `last`, an id, or the beginning of exactly one. */
export function findDeployment(history: readonly HistoryEntry[], word: string): FoundDeployment {
  const newestFirst = history.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const found = word === "last" ? newestFirst.slice(0, 1) : newestFirst.filter(({ id }) => id.startsWith(word));
  const [entry] = found;
  return entry !== undefined && found.length === 1 ? { entry } : { candidates: found.map(({ id }) => id) };
}

/** Why a word leads to no record, D081, and what there is. */
export function missingRecord(word: string, history: readonly HistoryEntry[], found: FoundDeployment): Finding {
  const code = "D081";
  const severity = "error";
  if ("entry" in found) {
    const { id } = found.entry;
    const isNewer = found.entry.record === undefined && found.entry.problem === "newer";
    const message = isNewer
      ? `a newer version of this tool wrote the record of the deployment ${id}`
      : `the record of the deployment ${id} is damaged, or was written by another user or on another machine`;
    return {
      code,
      severity,
      message,
      fix: `./deploy history shows the others; its files are in .deploy/history/${id}`,
    };
  }
  const ids = history.map(({ id }) => id);
  if (ids.length === 0)
    return {
      code,
      severity,
      message: "no deployment of this folder is recorded",
      fix: "./deploy up makes the first record",
    };
  const { candidates } = found;
  const message =
    candidates.length === 0 ? `there is no deployment ${word}` : `${word} could be ${candidates.join(" or ")}`;
  return { code, severity, message, fix: `name one of ${ids.join(", ")}, or as much of it as no other has, or last` };
}

/**
 * The tag under which each service's image stays on the engine; `images` are references by service. A service may be
 * called what an image may not: then its name is adapted, and numbered where that makes two alike. The guard is known by
 * the name of its image, so that it keeps that name, and nothing else gets it.
 */
export function imageTags(
  project: string,
  images: Readonly<Record<string, string>>,
  id: string,
): Record<string, string> {
  const folder = pathComponent(project);
  const taken = new Set([guardRepository]);
  return Object.fromEntries(
    Object.entries(images)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([service, reference]) => {
        if (isGuardImage(reference)) return [service, `${guardRepository}:deploy-${id}`];
        const plain = `${folder}/${pathComponent(service)}`;
        let name = plain;
        for (let number = 2; taken.has(name); number += 1) name = `${plain}-${number}`;
        taken.add(name);
        return [service, `${name}:deploy-${id}`];
      }),
  );
}

/** Lower-case letters and digits, parted by one `.`, one or two `_`, or any number of `-` (the grammar of image references). */
function pathComponent(name: string): string {
  const parted = name.toLowerCase().replace(/[^a-z0-9]+/g, (run) => (/^(\.|__?|-+)$/.test(run) ? run : "-"));
  return parted.replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "") || "service";
}
