import { realpath } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { type Audit, auditTo, type LineSink } from "../audit/audit.ts";
import type { Decide } from "../engine/deciding.ts";
import { lookUpImage, type Sources } from "../engine/facts.ts";
import { pinImages } from "../engine/pinned-images.ts";
import { countCreates } from "../engine/quotas.ts";
import { type Engine, engineAt } from "../engine/upstream.ts";
import { errorCode, Failure } from "../failure.ts";
import type { Policy } from "../policy/policy.ts";
import { hostFolders } from "../policy/policy-terms.ts";
import { isObject } from "../request/json.ts";
import { engineLimits, parseJson } from "../request/json-reader.ts";
import { shareBodyMemory } from "./body-memory.ts";
import { type Judge, noteExisting } from "./inventory.ts";
import type { Guard } from "./operation.ts";
import { createFront, type Front } from "./server.ts";
import { type GuardStatus, keepStatus } from "./status-file.ts";
import { startTally } from "./tally.ts";
import { type Timeouts, usualTimeouts } from "./timeouts.ts";
import { listenOn } from "./unix-socket.ts";

/** Everything that a guard is started with. */
export interface GuardSettings {
  readonly policy: Policy;
  readonly policyHash: string;
  readonly decide: Decide;
  readonly judge: Judge;
  /** The paths of two sockets: the guard's own, and the engine's. */
  readonly listenPath: string;
  readonly upstreamPath: string;
  readonly audit: LineSink;
  /** Where the guard says how it is; undefined: nowhere. */
  readonly statusPath: string | undefined;
  readonly complain: (text: string) => void;
  readonly timeouts?: Timeouts;
}

/** A guard that answers. */
export interface RunningGuard {
  readonly status: () => GuardStatus;
  /** Ends streams, lets the rest come to its end, and removes the socket. Sandboxes live on. */
  readonly stop: () => Promise<void>;
}

const graceMs = 5_000;

/** Starts a guard, or throws with the reason why it cannot: an engine that does not answer, an audit that cannot be written. */
export async function startGuard(settings: GuardSettings): Promise<RunningGuard> {
  const { policy, complain, listenPath, timeouts = usualTimeouts } = settings;
  const engine = engineAt(settings.upstreamPath, timeouts.questionMs);
  const apiVersion = await engineVersion(engine);
  const pins = await pinImages(policy.images, (image, signal) => lookUpImage(engine, apiVersion, image, signal));
  const stopping = new AbortController();
  const startedAt = new Date();
  const creates = countCreates(() => performance.now());
  const sources: Sources = { engine, apiVersion, pinnedImages: pins.ids, owner: policy.owner, creates };
  let changed = (): void => {};
  const guard: Guard = {
    ...{ policy, timeouts, decide: settings.decide, engine, sources, pins, complain, stopping: stopping.signal },
    audit: auditTo(settings.audit, settings.policyHash),
    tally: startTally(() => changed()),
    bodyMemory: shareBodyMemory(),
  };
  const front = createFront(guard, () => health(guard));
  const status = (): GuardStatus => describe(settings, guard, front, startedAt, stopping.signal.aborted);
  await noteStart(guard);
  await noteExisting(guard, settings.judge);
  const file = await listenOn(front.server, listenPath);
  const statusFile = settings.statusPath === undefined ? undefined : keepStatus(settings.statusPath, status, complain);
  changed = statusFile?.changed ?? changed;
  statusFile?.changed();
  return {
    status,
    async stop() {
      await file.remove();
      stopping.abort();
      await front.close(graceMs);
      await statusFile?.finish();
    },
  };
}

/** The API version that an engine speaks; a `Failure` where it does not say. */
export async function engineVersion(engine: Engine): Promise<string> {
  const { status, body } = await engine.ask("/version");
  const parsed = parseJson(body, engineLimits);
  const version = parsed.ok && isObject(parsed.value) ? parsed.value.get("ApiVersion") : undefined;
  if (status !== 200 || typeof version !== "string" || !/^1\.\d{2,3}$/.test(version))
    throw new Failure("engine.version", 502, `the Docker engine does not say which API it speaks (status ${status})`);
  return version;
}

/** Nobody is served before it is certain that the audit can be written. */
async function noteStart({ audit, policy, sources, pins, complain }: Guard): Promise<void> {
  const pinned = [...pins.ids].map(([reference, id]) => `${reference} is ${id}`);
  const missing = pins.missing().map((reference) => `${reference} is missing`);
  const message = [`engine API ${sources.apiVersion}`, ...pinned, ...missing].join("; ");
  audit.write({ id: "start", event: "note", decision: "allow", rule: "guard.start", message });
  for (const reference of pins.missing())
    complain(`the image ${reference} is not there yet: it can be run as soon as it is pulled or built`);
  const root = policy.binds?.root;
  if (root === undefined) return;
  const real = await realpath(root).catch(errorCode);
  if (real !== root)
    complain(`${root}, below which binds are allowed, is not there under that name for the guard (${real})`);
}

async function health({ audit, engine }: Guard): Promise<string | undefined> {
  const problem = tryAudit(audit);
  if (problem !== undefined) return `sandbox guard: the audit cannot be written (${problem})`;
  try {
    const { status } = await engine.ask("/_ping");
    return status === 200 ? undefined : `sandbox guard: the Docker engine answers with status ${status}`;
  } catch (error) {
    return error instanceof Failure ? error.message : errorCode(error);
  }
}

/** A disk that was full may have room again although nobody asked since; whoever reads the audit sees that lines are missing. */
function tryAudit({ write, problem }: Audit): string | undefined {
  const before = problem();
  if (before === undefined) return undefined;
  const message = `until now it could not be written (${before})`;
  try {
    write({ id: "audit", event: "note", decision: "allow", rule: "audit.written", message });
  } catch {
    return problem();
  }
  return undefined;
}

function describe(
  { policyHash, listenPath }: GuardSettings,
  { policy, sources, pins, tally, audit }: Guard,
  front: Front,
  startedAt: Date,
  stopped: boolean,
): GuardStatus {
  const auditProblem = audit.problem();
  return {
    version: 1,
    state: stopped ? "stopped" : "running",
    startedAt: startedAt.toISOString(),
    updatedAt: new Date().toISOString(),
    listen: listenPath,
    owner: policy.owner,
    policy: policyHash,
    folders: hostFolders(policy),
    apiVersion: sources.apiVersion,
    images: { pinned: Object.fromEntries(pins.ids), missing: pins.missing() },
    connections: { open: front.connections(), limit: policy.connections },
    sandboxes: {
      limit: policy.sandboxes.alive,
      createdLastMinute: sources.creates.lastMinute(),
      createsPerMinute: policy.sandboxes.createsPerMinute,
    },
    ...tally.counts(),
    ...(auditProblem === undefined ? {} : { auditProblem }),
  };
}
