// The guard's own program: `guard.js serve` lets through what its policy names; the other commands show what it does.
// What a command needs is loaded when it is called: a health check every few seconds must not cost a schema.
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { type Invocation, parseArguments, usage } from "./arguments.ts";
import { Failure } from "./failure.ts";
import type { PolicyReading } from "./policy/policy.ts";

const exits = { done: 0, failed: 1, usage: 2, refused: 3 } as const;

type Asked<Kind extends Invocation["kind"]> = Extract<Invocation, { readonly kind: Kind }>;

/** Something that whoever typed it can put right. */
class UsageError extends Error {}

function say(text: string): void {
  process.stderr.write(`guard: ${text}\n`);
}

function print(text: string): void {
  process.stdout.write(text);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A file that somebody wrote by hand: what is wrong with it is theirs to put right. */
function understood<Value>(path: string, read: (text: string) => Value): Value {
  try {
    return read(readFileSync(path === "-" ? 0 : path, "utf8"));
  } catch (error) {
    throw new UsageError(`${path}: ${reasonOf(error)}`);
  }
}

type SoundPolicy = Extract<PolicyReading, { readonly ok: true }>;

async function readPolicyFile(path: string): Promise<SoundPolicy> {
  return complain(path, await readPolicyText(understood(path, (text) => text)));
}

async function readPolicyGiven({ policyPath, policyText }: Asked<"check" | "policy" | "judge">): Promise<SoundPolicy> {
  return policyText === undefined ? readPolicyFile(policyPath) : complain("policy", await readPolicyText(policyText));
}

/** What the text leaves out, the stack that brings the guard may say in the environment. */
async function readPolicyText(text: string): Promise<PolicyReading> {
  const { readPolicy } = await import("./policy/policy.ts");
  const { GUARD_OWNER: owner, GUARD_IMAGES: images } = process.env;
  const named = images?.split(/[\s,]+/).filter((image) => image !== "") ?? [];
  return readPolicy(text, { ...(owner ? { owner } : {}), ...(named.length > 0 ? { images: named } : {}) });
}

/** Says what is wrong with a policy, and goes on only if it is one all the same. */
async function complain(name: string, reading: PolicyReading): Promise<SoundPolicy> {
  const { formatPolicyFinding } = await import("./policy/policy-finding.ts");
  for (const finding of reading.findings) process.stderr.write(`${formatPolicyFinding(name, finding)}\n`);
  if (!reading.ok) throw new UsageError(`${name} is wrong, so nothing is let through`);
  return reading;
}

function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(name, () => stop.abort());
  return stop.signal;
}

function inputEnd(): AbortSignal {
  const end = new AbortController();
  process.stdin.on("error", () => end.abort()).on("close", () => end.abort());
  process.stdin.on("end", () => end.abort()).resume();
  return end.signal;
}

async function runServe(invocation: Asked<"serve">): Promise<number> {
  keepMemorySmall();
  const { serve } = await import("./commands/serve-command.ts");
  const { policy, hash: policyHash } = await readPolicyFile(invocation.policyPath);
  await serve({ ...invocation, policy, policyHash }, stopSignal(), say);
  return exits.done;
}

async function runLog({ auditPath, denied, follow, whileInput }: Asked<"log">): Promise<number> {
  const { showLog } = await import("./commands/log-command.ts");
  const signal = whileInput ? AbortSignal.any([stopSignal(), inputEnd()]) : stopSignal();
  await showLog(auditPath, { denied, follow, signal }, print);
  process.stdin.destroy();
  return exits.done;
}

async function runCheck(invocation: Asked<"check">): Promise<number> {
  const { requestPath, factsPath, upstreamPath } = invocation;
  const { checkAlone, checkedText, checkWithEngine, checkWithFacts } = await import("./commands/check-command.ts");
  const { readCheckFacts } = await import("./commands/check-facts.ts");
  const { readCheckRequest } = await import("./commands/check-request.ts");
  const { decide } = await import("./decision/decide.ts");
  const { policy } = await readPolicyGiven(invocation);
  const request = understood(requestPath, readCheckRequest);
  const checked =
    factsPath !== undefined
      ? await checkWithFacts(decide, request, policy, understood(factsPath, readCheckFacts))
      : upstreamPath !== undefined
        ? await checkWithEngine(decide, request, policy, upstreamPath)
        : checkAlone(decide, request, policy, "neither --upstream nor --facts says where to look");
  print(checkedText(checked));
  const { kind } = checked.decision;
  return kind === "deny" ? exits.refused : kind === "ask" ? exits.failed : exits.done;
}

async function runPolicy(invocation: Asked<"policy">): Promise<number> {
  const { policyPath, policyText: given, json } = invocation;
  if (json) {
    const reading = await readPolicyText(given ?? understood(policyPath, (text) => text));
    const { hostFolders } = await import("./policy/policy-terms.ts");
    const { ok, findings } = reading;
    print(`${JSON.stringify({ version: 1, ok, findings, folders: ok ? hostFolders(reading.policy) : undefined })}\n`);
    return ok ? exits.done : exits.usage;
  }
  const { policy, hash } = await readPolicyGiven(invocation);
  const { policyText } = await import("./policy/policy-text.ts");
  print(`# sha256 ${hash}\n${policyText(policy)}`);
  return exits.done;
}

async function runJudge(invocation: Asked<"judge">): Promise<number> {
  const { judgeContainers, readKnownIds } = await import("./commands/judge-command.ts");
  const { policy } = await readPolicyGiven(invocation);
  const { upstreamPath, containers, pinned } = invocation;
  const beyond = await judgeContainers(policy, upstreamPath, containers, readKnownIds(pinned));
  print(`${JSON.stringify({ version: 1, beyond })}\n`);
  return exits.done;
}

async function runStatus({ statusPath, upstreamPath, json }: Asked<"status">): Promise<number> {
  const { reportStatus, statusText } = await import("./commands/status-command.ts");
  const report = await reportStatus(statusPath, upstreamPath);
  if (report === undefined) {
    say(`no guard has written ${statusPath}: is it the --status of a guard that was started?`);
    return exits.failed;
  }
  print(json ? `${JSON.stringify(report)}\n` : statusText(report));
  return report.problem === undefined ? exits.done : exits.failed;
}

async function runHealthcheck({ listenPath }: Asked<"healthcheck">): Promise<number> {
  const { askHealth } = await import("./serve/health.ts");
  const problem = await askHealth(listenPath);
  if (problem !== undefined) say(problem);
  return problem === undefined ? exits.done : exits.failed;
}

async function run(invocation: Invocation): Promise<number> {
  switch (invocation.kind) {
    case "serve":
      return runServe(invocation);
    case "log":
      return runLog(invocation);
    case "check":
      return runCheck(invocation);
    case "policy":
      return runPolicy(invocation);
    case "judge":
      return runJudge(invocation);
    case "status":
      return runStatus(invocation);
    case "healthcheck":
      return runHealthcheck(invocation);
    case "help":
      print(usage);
      return exits.done;
    case "wrong":
      say(invocation.message);
      return exits.usage;
  }
}

/**
 * What lives is a few megabytes: a heap that waits for more before it is swept would only be larger. The optimising
 * compiler would take more memory than everything else, 14 MB of 92 on Node 22, to save 0.4 ms of a request.
 */
function keepMemorySmall(): void {
  const flags = ["--heap-growing-percent=20", "--semi-space-growth-factor=1", "--optimize-for-size", "--no-opt"];
  for (const flag of flags) setFlagsFromString(flag);
}

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on("error", () => process.exit(exits.done));
try {
  process.exitCode = await run(parseArguments(process.argv.slice(2)));
} catch (error) {
  // The words of the guard's own; the stack of anything else is for its authors, but must not hide what happened.
  say(error instanceof Failure ? error.message.replace(/^sandbox guard: /, "") : reasonOf(error));
  process.exitCode = error instanceof UsageError ? exits.usage : exits.failed;
}
