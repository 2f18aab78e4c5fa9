import { decideCreate } from "../model/container-create.ts";
import { decideExec } from "../model/exec-create.ts";
import { readExecStart } from "../model/exec-start.ts";
import type { Policy } from "../policy/policy.ts";
import { isAtLeast } from "../request/api-version.ts";
import { type Call, forward, type Rewrite } from "../request/call.ts";
import { quoted } from "../request/reading.ts";
import { deny } from "./body-decision.ts";
import type { AuditNotes, ContainerFact, Decision, ExecFact, Facts } from "./decision.ts";
import { judgeAgain } from "./judge-again.ts";
import { ownContainer, ownExec } from "./ownership.ts";

/** `POST /containers/create`: always in the engine's own API version, since an older one would drop fields. */
export function decideContainerCreate(call: Call, policy: Policy, facts: Facts): Decision {
  const name = call.query.parameters.get("name");
  if (call.payload.kind !== "object") throw new Error("a container is created from an object");
  const decision = decideCreate(name, call.payload.object, policy, facts);
  if (decision.kind === "ask") return decision;
  const notes = { ...(name === undefined ? {} : { container: name }), ...decision.notes };
  if (decision.kind === "deny") return { ...decision, notes };
  return forward(call, notes, { version: facts.engine.apiVersion, body: decision.body, rule: decision.rule });
}

/** What is asked of one container: sent on to its full id, if it is one of ours. */
export function decideContainer(call: Call, policy: Policy, facts: Facts): Decision {
  const container = ownContainer(call.reference, missingText(call, facts), policy, facts);
  if (container.kind === "deny") return { ...container, notes: { container: call.reference } };
  if (container.kind !== "read") return container;
  const again = judge(call, container.value, policy, facts);
  if (again !== undefined) return again;
  const notes: AuditNotes = { container: container.value.name };
  if (call.route.body === "exec") return decideExecCreate(call, container.value, notes, policy);
  return forward(call, ...stopInTime(call, notes, policy, { id: container.value.id, ...archiveOf(call) }));
}

/** What is asked of an exec: it belongs to a container, and that is the one that has to be ours. */
export function decideExecCall(call: Call, policy: Policy, facts: Facts): Decision {
  const own = ownExec(call.reference, policy, facts);
  if (own.kind !== "read") return own;
  const { container, exec } = own.value;
  const again = judge(call, container, policy, facts);
  if (again !== undefined) return again;
  const notes: AuditNotes = { container: container.name };
  if (call.payload.kind !== "object") return forward(call, notes);
  const refused = judgeExec(exec, notes, policy);
  if (refused !== undefined) return refused;
  const start = readExecStart(call.payload.object);
  if (start.kind !== "read") return start;
  const { body, detach } = start.value;
  return forward(call, notes, detach ? { body, stream: "none" } : { body });
}

/** Holds a command against the policy before it is started: somebody else may have prepared it in a sandbox of ours. */
function judgeExec({ privileged, user }: ExecFact, notes: AuditNotes, { users }: Policy): Decision | undefined {
  if (privileged) return deny("exec.privileged", "the command was prepared with every right of the host", notes);
  if (user === "" || users === undefined || users.test(user)) return undefined;
  return deny(
    "config.user",
    `the command was prepared for the user ${quoted(user)}, whom the policy does not allow`,
    notes,
  );
}

/** Engine 26 (API 1.45) took to small letters. */
function missingText({ route, reference }: Call, { engine }: Facts): string {
  const text = `No such container: ${reference}`;
  if (route.name !== "container.kill") return text;
  return `${isAtLeast(engine.apiVersion, "1.45") ? "cannot" : "Cannot"} kill container: ${reference}: ${text}`;
}

/** Holds a container against the policy once more where something is about to run in it. Undefined: it passes. */
function judge(call: Call, container: ContainerFact, policy: Policy, facts: Facts): Decision | undefined {
  if (call.route.judged !== true) return undefined;
  const verdict = judgeAgain(container, policy, facts);
  if (verdict.kind === "pass") return undefined;
  return verdict.kind === "ask" ? verdict : { ...verdict, notes: { container: container.name, ...verdict.notes } };
}

function decideExecCreate(call: Call, container: ContainerFact, notes: AuditNotes, policy: Policy): Decision {
  if (call.payload.kind !== "object") throw new Error("an exec is created from an object");
  const decision = decideExec(call.payload.object, policy);
  if (decision.kind === "ask") return decision;
  const all = { ...notes, ...decision.notes };
  if (decision.kind === "deny") return { ...decision, notes: all };
  return forward(call, all, { id: container.id, body: decision.body, rule: decision.rule });
}

function archiveOf(call: Call): Rewrite {
  return call.payload.kind === "archive" ? { body: call.payload.archive } : {};
}

/** Nobody waits for a container longer than the policy says; `-1` would mean for ever. */
function stopInTime(call: Call, notes: AuditNotes, policy: Policy, rewrite: Rewrite): [AuditNotes, Rewrite] {
  const seconds = call.query.parameters.get("t");
  const limit = policy.limits.stopSeconds;
  if (seconds === undefined || (Number(seconds) >= 0 && Number(seconds) <= limit)) return [notes, rewrite];
  const parameters = new Map([...call.query.parameters, ["t", String(limit)]]);
  return [
    { ...notes, rewrites: [`t: ${seconds} -> ${limit}`] },
    { ...rewrite, query: { ...call.query, parameters } },
  ];
}
