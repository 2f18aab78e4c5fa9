import type { ReportFlags } from "../core/ci/pipeline.ts";
import type { AcceptName } from "../core/plan/plan.ts";
import { questionIds } from "../core/setup/question.ts";
import { secretIds } from "../core/setup/secret-questions.ts";
import { type ExitCode, exitCodes } from "../errors.ts";
import type { World } from "../world.ts";
import type { GlobalFlags } from "./prepare.ts";
import type { SetupFlags } from "./setup/given.ts";
import type { UpFlags } from "./up.ts";

/** Flags as commander hands them over: what its table declares, already validated there. */
export interface ParsedFlags extends GlobalFlags, ReportFlags {
  readonly build?: boolean;
  readonly pull?: UpFlags["pull"];
  readonly accept?: readonly AcceptName[];
  readonly images?: "registry" | "local";
  readonly waitSeconds?: number;
  readonly volumes?: boolean;
  readonly rollback?: boolean;
  readonly exitCode?: boolean;
  readonly follow?: boolean;
  readonly tail?: string;
  readonly color?: boolean;
  readonly denied?: boolean;
  readonly policy?: string;
  readonly all?: boolean;
  readonly upstream?: string;
  readonly lockWait?: number;
  readonly force?: boolean;
  readonly limit?: number;
  readonly answers?: string;
  readonly printAnswers?: boolean;
  readonly fix?: boolean;
  readonly timeout?: number;
}

/** Runs a command by name; one that may wait for the lock begins anew once it is free. */
export async function runCommand(
  world: World,
  name: string,
  flags: ParsedFlags,
  args: readonly string[],
): Promise<ExitCode> {
  const { lockWait } = flags;
  const command = () => runOnce(world, name, flags, args);
  if (lockWait === undefined) return command();
  return (await import("./lock-wait.ts")).waitingForLock(world, lockWait, command);
}

async function runOnce(world: World, name: string, flags: ParsedFlags, args: readonly string[]): Promise<ExitCode> {
  const story = stories[name];
  if (story === undefined) throw new Error(`the command ${name} is in the table but has no story`);
  return (await story(world, flags, args)) ?? exitCodes.done;
}

/** What a command does; it is done where it says nothing else. */
type Story = (world: World, flags: ParsedFlags, args: readonly string[]) => Promise<ExitCode> | Promise<void>;

/** Each module is loaded only when its command is asked for. */
const stories: Readonly<Record<string, Story>> = {
  setup: async (world, flags) => (await import("./setup/setup.ts")).setup(world, setupFlags(flags)),
  up: async (world, flags) => (await import("./up.ts")).up(world, upFlags(flags)),
  plan: async (world, flags) =>
    (await import("./plan.ts")).plan(world, { ...upFlags(flags), ...(flags.exitCode ? { exitCode: true } : {}) }),
  down: async (world, flags) => (await import("./down.ts")).down(world, flags),
  rollback: async (world, flags, [id]) => (await import("./rollback.ts")).rollback(world, flags, id),
  status: async (world, flags) => (await import("./status.ts")).status(world, flags),
  history: async (world, flags, args) => (await import("./history.ts")).history(world, flags, args),
  diff: async (world, flags, args) => (await import("./diff.ts")).diff(world, flags, args),
  logs: async (world, { follow = false, tail = "100", color = true, ...flags }, args) =>
    (await import("./logs.ts")).logs(world, { ...flags, follow, tail, color }, args),
  restart: async (world, flags, args) => (await import("./restart.ts")).restart(world, flags, args),
  build: async (world, flags, args) => (await import("./images.ts")).build(world, flags, args),
  pull: async (world, flags, args) => (await import("./images.ts")).pull(world, flags, args),
  config: async (world, flags) => (await import("./config.ts")).config(world, flags),
  detect: async (world, flags, [path]) => (await import("./detect.ts")).detect(world, flags, path),
  guard: async (world, flags, args) => (await import("./guard.ts")).guard(world, flags, args),
  audit: async (world, { limit = 20, ...flags }) => (await import("./audit.ts")).audit(world, { ...flags, limit }),
  unlock: async (world, flags) => (await import("./unlock.ts")).unlock(world, flags),
  secrets: async (world, flags, args) => (await import("./secrets.ts")).secrets(world, upFlags(flags), args),
  key: async (world, flags, [name]) => (await import("./key.ts")).key(world, flags, name),
  open: async (world, flags) => (await import("./open.ts")).open(world, flags),
  doctor: async (world, flags, [code]) => (await import("./doctor/doctor.ts")).doctor(world, flags, code),
  tls: async (world, flags, args) => (await import("./tls.ts")).tls(world, flags, args),
  completion: async (world, _flags, [shell = ""]) => (await import("./completion.ts")).completion(world, shell),
};

/** Answers by the ids of their questions, which commander has turned into names of its own. */
function setupFlags(flags: ParsedFlags): SetupFlags {
  const written = new Map<string, unknown>(Object.entries(flags));
  const valuesOf = <Id extends string>(ids: readonly Id[], suffix: string) =>
    ids.flatMap((id) => {
      const value = written.get(`${id}${suffix}`.replace(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase()));
      return typeof value === "string" ? [[id, value] as const] : [];
    });
  return {
    ...flags,
    given: Object.fromEntries(valuesOf(questionIds, "")),
    secretFiles: Object.fromEntries(valuesOf(secretIds, "-file")),
  };
}

function upFlags(flags: ParsedFlags): UpFlags {
  const { build, pull = "missing", accept = [], ...rest } = flags;
  return {
    ...rest,
    accept,
    confirmed: rest.yes ?? false,
    pull,
    build: build === undefined ? "missing" : build ? "always" : "never",
  };
}
