import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LineSink } from "../../../src/guard/audit/audit.ts";
import type { ClientRequest, EngineRequest } from "../../../src/guard/decision/decision.ts";
import type { Decide } from "../../../src/guard/engine/deciding.ts";
import type { Policy } from "../../../src/guard/policy/policy.ts";
import type { Judge } from "../../../src/guard/serve/inventory.ts";
import { type RunningGuard, startGuard } from "../../../src/guard/serve/start.ts";
import { type Timeouts, usualTimeouts } from "../../../src/guard/serve/timeouts.ts";
import { openPolicy } from "./decisions.ts";
import { type DaemonWorld, type RecordingDaemon, startRecordingDaemon } from "./recording-daemon.ts";

/** A line of the audit, as it was written. */
export type AuditLine = Readonly<Record<string, unknown>>;

/** A guard in front of a daemon that only records. */
export interface GuardRig {
  readonly daemon: RecordingDaemon;
  readonly guard: RunningGuard;
  readonly socketPath: string;
  readonly folder: string;
  /** The lines about requests: those about the start are left out. */
  readonly audit: () => AuditLine[];
  readonly complaints: string[];
  readonly close: () => Promise<void>;
}

export interface RigOptions {
  readonly decide?: Decide;
  readonly judge?: Judge;
  readonly policy?: Partial<Policy>;
  readonly world?: DaemonWorld;
  /** Called before a line is kept; what it throws is what writing the line throws. */
  readonly beforeLine?: LineSink;
  readonly timeouts?: Partial<Timeouts>;
}

const nobody: Judge = (container) => ({ kind: "pass", rule: "test.judged", notes: { container: container.name } });

/** Starts both; `close` ends both and removes what they left. */
export async function startRig(options: RigOptions = {}): Promise<GuardRig> {
  const folder = await mkdtemp(join(tmpdir(), "guard-rig-"));
  const daemon = await startRecordingDaemon({ images: worldImages, ...options.world });
  const lines: string[] = [];
  const complaints: string[] = [];
  const socketPath = join(folder, "docker.sock");
  const guard = await startGuard({
    policy: { ...openPolicy, ...options.policy },
    policyHash: "test-hash",
    decide: options.decide ?? passOn("none"),
    judge: options.judge ?? nobody,
    listenPath: socketPath,
    upstreamPath: daemon.socketPath,
    audit: (line) => {
      options.beforeLine?.(line);
      lines.push(line);
    },
    statusPath: join(folder, "status.json"),
    complain: (text) => void complaints.push(text),
    timeouts: { ...usualTimeouts, ...options.timeouts },
  });
  daemon.forget();
  return {
    ...{ daemon, guard, socketPath, folder, complaints },
    audit: () => lines.map(parseLine).filter(({ event }) => event !== "note"),
    async close() {
      await guard.stop();
      await daemon.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const worldImages = { "team/sandbox:1": `sha256:${"1".repeat(64)}`, python: `sha256:${"2".repeat(64)}` };

function parseLine(line: string): AuditLine {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null) throw new Error(`no audit line: ${line}`);
  return { ...value };
}

/** Decides that everything is sent as it came, but without its body. */
export function passOn(stream: EngineRequest["stream"]): Decide {
  return ({ method, target }) => ({
    kind: "forward",
    rule: "test.pass",
    request: { method: methodOf(method), target, body: undefined, stream },
    notes: { route: "test.route" },
  });
}

/** Decides that nothing is sent, and keeps what it was asked about. */
export function denyAll(seen: ClientRequest[] = [], status = 403): Decide {
  return (request) => {
    seen.push(request);
    return { kind: "deny", rule: "test.deny", status, message: "sandbox guard: no (rule test.deny)", notes: {} };
  };
}

function methodOf(text: string): EngineRequest["method"] {
  const method = (["GET", "HEAD", "POST", "DELETE", "PUT"] as const).find((each) => each === text);
  if (method === undefined) throw new Error(`${text} is no method that is sent`);
  return method;
}
