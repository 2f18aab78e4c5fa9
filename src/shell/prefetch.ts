import { readFileSync } from "node:fs";
import { composeEnvironment, listArgv, modelArgv } from "../core/compose-argv.ts";
import type { Command, RunResult } from "../world.ts";
import { ask } from "./question.ts";

/**
 * Commands that the next `plan` or `up` will very likely ask, started before the modules that decide so are loaded.
 * Each answer is used only for a command that is the same to the letter, environment included; the rest is thrown away.
 */
export interface Prefetch {
  take(command: Command): Promise<RunResult> | undefined;
  /** Ends what nobody asked for. */
  stop(): void;
}

interface LastStack {
  readonly project: string;
  readonly files: readonly string[];
  readonly envPath: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** Starts what the last deployment of a folder asked; without a receipt there only the list of containers. */
export function startPrefetch(receiptPath: string, env: Readonly<Record<string, string | undefined>>): Prefetch {
  const last = readLastStack(receiptPath);
  const composeEnv = last && composeEnvironment(last, env);
  const commands: Command[] = [
    { program: "docker", args: listArgv(), env },
    ...(last && composeEnv ? [{ program: "docker", args: modelArgv(last), env: composeEnv }] : []),
  ];
  const started = new Map(commands.map((command) => [keyOf(command), start(command)]));
  return {
    take(command) {
      const found = started.get(keyOf(command));
      started.delete(keyOf(command));
      return found?.result;
    },
    stop() {
      for (const { kill } of started.values()) kill();
    },
  };
}

/** Reads only what is needed, by hand: the schema of receipts would cost more than it saves here. */
function readLastStack(path: string): LastStack | undefined {
  try {
    const receipt: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof receipt !== "object" || receipt === null || !("stack" in receipt)) return undefined;
    return isLastStack(receipt.stack) ? receipt.stack : undefined;
  } catch {
    return undefined;
  }
}

function isLastStack(value: unknown): value is LastStack {
  if (typeof value !== "object" || value === null) return false;
  const { project, files, envPath, variables } = value as Partial<Record<keyof LastStack, unknown>>;
  const texts = (list: unknown) => Array.isArray(list) && list.every((item) => typeof item === "string");
  return (
    typeof project === "string" &&
    typeof envPath === "string" &&
    texts(files) &&
    typeof variables === "object" &&
    variables !== null &&
    texts(Object.values(variables))
  );
}

function start(command: Command) {
  const abort = new AbortController();
  return { result: ask(command, abort.signal), kill: () => abort.abort() };
}

function keyOf({ program, args, env, cwd }: Command): string {
  const set = Object.entries(env).filter(([, value]) => value !== undefined);
  return JSON.stringify([program, args, cwd, set.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}
