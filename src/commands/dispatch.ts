import type { AcceptName } from "../core/plan.ts";
import { type ExitCode, exitCodes } from "../errors.ts";
import type { World } from "../world.ts";
import type { GlobalFlags } from "./prepare.ts";
import type { UpFlags } from "./up.ts";

/** Flags as commander hands them over: what its table declares, already validated there. */
export interface ParsedFlags extends GlobalFlags {
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
  readonly upstream?: string;
  readonly lockWait?: number;
  readonly force?: boolean;
  readonly limit?: number;
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

/** Each module is loaded only when its command is asked for. */
async function runOnce(world: World, name: string, flags: ParsedFlags, args: readonly string[]): Promise<ExitCode> {
  switch (name) {
    case "up":
      await (await import("./up.ts")).up(world, upFlags(flags));
      return exitCodes.done;
    case "plan":
      return (await import("./plan.ts")).plan(world, {
        ...upFlags(flags),
        ...(flags.exitCode ? { exitCode: true } : {}),
      });
    case "down":
      await (await import("./down.ts")).down(world, flags);
      return exitCodes.done;
    case "rollback":
      await (await import("./rollback.ts")).rollback(world, flags, args[0]);
      return exitCodes.done;
    case "status":
      return (await import("./status.ts")).status(world, flags);
    case "history":
      await (await import("./history.ts")).history(world, flags, args);
      return exitCodes.done;
    case "diff":
      await (await import("./diff.ts")).diff(world, flags, args);
      return exitCodes.done;
    case "logs":
      return (await import("./logs.ts")).logs(
        world,
        { ...flags, follow: flags.follow ?? false, tail: flags.tail ?? "100", color: flags.color ?? true },
        args,
      );
    case "restart":
      await (await import("./restart.ts")).restart(world, flags, args);
      return exitCodes.done;
    case "build":
      await (await import("./images.ts")).build(world, flags, args);
      return exitCodes.done;
    case "pull":
      await (await import("./images.ts")).pull(world, flags, args);
      return exitCodes.done;
    case "config":
      await (await import("./config.ts")).config(world, flags);
      return exitCodes.done;
    case "detect":
      await (await import("./detect.ts")).detect(world, flags, args[0]);
      return exitCodes.done;
    case "guard":
      return (await import("./guard.ts")).guard(world, flags, args);
    case "audit":
      await (await import("./audit.ts")).audit(world, { ...flags, limit: flags.limit ?? 20 });
      return exitCodes.done;
    case "unlock":
      await (await import("./unlock.ts")).unlock(world, flags);
      return exitCodes.done;
    case "secrets":
      return (await import("./secrets.ts")).secrets(world, upFlags(flags), args);
    case "completion":
      await (await import("./completion.ts")).completion(world, args[0] ?? "");
      return exitCodes.done;
    default:
      throw new Error(`the command ${name} is in the table but has no story`);
  }
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
