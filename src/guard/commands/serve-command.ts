import { dirname } from "node:path";
import { type AuditFile, appendTo, type Keeping, writeTo } from "../audit/audit-file.ts";
import { decide } from "../decision/decide.ts";
import { judgeAgain } from "../decision/judge-again.ts";
import { Failure } from "../failure.ts";
import type { Policy } from "../policy/policy.ts";
import { type RunningGuard, startGuard } from "../serve/start.ts";

/** What `serve` was asked for, with the policy that was read. */
export interface ServeSettings {
  readonly policy: Policy;
  readonly policyHash: string;
  readonly listenPath: string;
  readonly upstreamPath: string;
  readonly auditPath: string | undefined;
  readonly keeping: Keeping;
  readonly statusPath: string | undefined;
}

const standardOutput = 1;

/** Runs a guard until `stop` is aborted. Throws with the reason when it cannot start. */
export async function serve(settings: ServeSettings, stop: AbortSignal, say: (text: string) => void): Promise<void> {
  const { auditPath, listenPath, upstreamPath, policyHash } = settings;
  const audit = openAudit(auditPath, settings.keeping);
  try {
    const guard = await startGuard({
      ...settings,
      decide,
      judge: judgeAgain,
      audit: audit.sink,
      complain: onlyNew(say),
    }).catch((error) => {
      throw withPlace(error, settings);
    });
    const { apiVersion, images } = guard.status();
    say(`listening on unix:${listenPath} for unix:${upstreamPath} (engine API ${apiVersion})`);
    say(
      `policy ${policyHash}, pinned images: ${Object.keys(images.pinned).length}, audit in ${auditPath ?? "standard output"}`,
    );
    await untilStopped(guard, stop, say);
  } finally {
    audit.close();
  }
}

/** What keeps a guard from starting, with where to look. Clients get the same failures, and need not know the paths. */
function withPlace(error: unknown, { auditPath, upstreamPath }: ServeSettings): unknown {
  if (!(error instanceof Failure)) return error;
  const place =
    error.rule === "audit.unwritable"
      ? `see ${auditPath ?? "standard output"}`
      : `see whether it runs behind unix:${upstreamPath}, and whether this user may use that socket`;
  return new Error(`${error.message.replace(/^sandbox guard: /, "")}: ${place}`);
}

function openAudit(path: string | undefined, keeping: Keeping): AuditFile {
  if (path === undefined) return { sink: writeTo(standardOutput), close: () => {} };
  try {
    return appendTo(path, keeping);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the audit cannot be written, so nothing can be let through: ${reason}; see ${dirname(path)}`);
  }
}

async function untilStopped(guard: RunningGuard, stop: AbortSignal, say: (text: string) => void): Promise<void> {
  await new Promise<void>((resolve) => {
    if (stop.aborted) resolve();
    stop.addEventListener("abort", () => resolve(), { once: true });
  });
  say("stopping; sandboxes live on");
  await guard.stop();
}

/** The same complaint again and again would only fill the log. */
function onlyNew(say: (text: string) => void): (text: string) => void {
  let last = "";
  return (text) => {
    if (text !== last) say(text);
    last = text;
  };
}
