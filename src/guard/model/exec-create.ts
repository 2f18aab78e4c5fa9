import type { BodyDecision } from "../decision/body-decision.ts";
import type { Policy } from "../policy/policy.ts";
import type { JsonObject, JsonValue } from "../request/json.ts";
import { quoted } from "../request/reading.ts";
import { type BodyDraft, startDraft } from "./body-draft.ts";
import { readCommand, readEnvironment, readUser, readWorkingDirectory } from "./config-fields.ts";
import { applyRules, type FieldRule, type FieldRules, readField, refusedFields } from "./field-rules.ts";
import { readConsoleSize } from "./host-config.ts";
import { readFlag, readText } from "./typed-value.ts";

interface ExecContext {
  readonly draft: BodyDraft;
}

const read = (
  reader: (draft: BodyDraft, value: JsonValue | undefined) => JsonValue | undefined,
): FieldRule<ExecContext> => readField((value, { draft }) => reader(draft, value));

const flag = (name: string): [string, FieldRule<ExecContext>] => [
  name,
  read((draft, value) => readFlag(draft, name, value) || undefined),
];

/** Every field that the body of `POST /containers/{id}/exec` has had from API 1.24 on, and what becomes of each. */
export const execRules: FieldRules<ExecContext> = new Map<string, FieldRule<ExecContext>>([
  flag("AttachStdin"),
  flag("AttachStdout"),
  flag("AttachStderr"),
  flag("Tty"),
  ["Cmd", read((draft, value) => readCommand(draft, "Cmd", value))],
  ["ConsoleSize", read((draft, value) => readConsoleSize(draft, value, "ConsoleSize"))],
  // docker-py repeats the container of the path here, and the engine does not look at it.
  ["Container", read((draft, value) => void readText(draft, "Container", value))],
  // The CLI's own; the engine looks at it when the exec is started.
  ["Detach", read((draft, value) => void readFlag(draft, "Detach", value))],
  ["DetachKeys", read(readDetachKeys)],
  ["Env", read((draft, value) => readEnvironment(draft, "Env", value))],
  ["User", read(readExecUser)],
  ["WorkingDir", read((draft, value) => readWorkingDirectory(draft, "WorkingDir", value))],
  ...refusedFields<ExecContext>({ Privileged: "it gives the process every capability and device of the host" }),
]);

/** What the body of `POST /containers/{id}/exec` becomes; the route itself is off unless the policy switches it on. */
export function decideExec(body: JsonObject, policy: Policy): BodyDecision {
  const draft = startDraft(policy);
  const sent = applyRules(execRules, body, { draft }, { prefix: "", rule: "exec" });
  const command = sent.get("Cmd");
  if (!Array.isArray(command) || command.length === 0) {
    draft.refuse({ rule: "exec.no-command", field: "Cmd", what: "No exec command specified", status: 400 });
  }
  return draft.obstacle() ?? { kind: "send", rule: "exec.allowed", body: sent, notes: draft.notes() };
}

/** Without one it is the container's user, which was judged when the container was created. */
function readExecUser(draft: BodyDraft, value: JsonValue | undefined): JsonValue | undefined {
  return value === "" || value === null || value === undefined ? undefined : readUser(draft, "User", value);
}

function readDetachKeys(draft: BodyDraft, value: JsonValue | undefined): JsonValue | undefined {
  const keys = readText(draft, "DetachKeys", value) ?? "";
  if (keys === "") return undefined;
  if (/^[a-z@[\\\]^_,-]{1,64}$/i.test(keys)) return keys;
  const what = `DetachKeys: ${quoted(keys)} is no sequence of keys`;
  return draft.refuse({ rule: "exec.detach-keys", field: "DetachKeys", what, status: 400 });
}
