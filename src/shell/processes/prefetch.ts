import { readFileSync } from "node:fs";
import {
  composeEnvironment,
  containersArgv,
  imagesArgv,
  listArgv,
  modelArgv,
  volumesArgv,
} from "../../core/stack/compose-argv.ts";
import type { Command, RunResult } from "../../world.ts";
import { askPlugin, type ComposePrograms, composePrograms, isAmong } from "../compose/compose-plugin.ts";
import { askEngine, type EngineSocket, sameEngineSocket } from "../engine/engine-socket.ts";
import { sealKeyPath, unseal } from "../files/seal.ts";
import { ask } from "./question.ts";

/**
 * Commands that the next `plan` or `up` will very likely ask, started before the modules that decide so are loaded.
 * Each answer is used only for a command that is the same to the letter, environment included; the rest is thrown away.
 */
export interface Prefetch {
  take(command: Command): Promise<RunResult> | undefined;
  /** Ends what nobody asked for: nothing can be taken any more. */
  stop(): void;
}

interface LastStack {
  readonly project: string;
  readonly files: readonly string[];
  readonly envPath: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly containers: readonly string[];
  readonly images: readonly string[];
  readonly volumes: readonly string[];
}

/** Starts what the last deployment of a folder asked; without a receipt there only the list of containers. */
export function startPrefetch(
  receiptPath: string,
  home: string,
  env: Readonly<Record<string, string | undefined>>,
): Prefetch {
  const receipt = readLastReceipt(receiptPath, sealKeyPath(home, env));
  const last = isLastStack(receipt["stack"]) ? receipt["stack"] : undefined;
  const plugin = samePlugin(receipt["compose"], composePrograms(home, env));
  const socket = sameEngineSocket(receipt["engine"], home, env);
  // Starting a process holds this one up for milliseconds: the one that lasts longest, the model, comes first.
  const commands = [...(last ? questionsAbout(last, env) : []), { program: "docker", args: listArgv(), env }];
  const started = new Map(commands.map((command) => [keyOf(command), start(command, plugin, socket)]));
  return {
    take(command) {
      const found = started.get(keyOf(command));
      started.delete(keyOf(command));
      return found?.result;
    },
    stop() {
      for (const { kill } of started.values()) kill();
      started.clear();
    },
  };
}

function questionsAbout(last: LastStack, env: Command["env"]): Command[] {
  const ask = (args: string[], environment = env): Command => ({ program: "docker", args, env: environment });
  return [
    ask(modelArgv(last), composeEnvironment(last, env)),
    ...(last.containers.length > 0 ? [ask(containersArgv(last.containers))] : []),
    ...(last.images.length > 0 ? [ask(imagesArgv(last.images))] : []),
    ...(last.volumes.length > 0 ? [ask(volumesArgv(last.volumes))] : []),
  ];
}

/** Reads only what is needed, by hand: the schema of receipts would cost more than it saves here. Only this user's own counts. */
function readLastReceipt(path: string, keyPath: string): Readonly<Record<string, unknown>> {
  try {
    const receipt = unseal(readFileSync(keyPath, "utf8"), readFileSync(path, "utf8"));
    return isRecord(receipt) ? receipt : {};
  } catch {
    return {};
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** The plugin that docker named after the last deployment; the same docker among the same plugins takes it again. */
function samePlugin(last: unknown, now: ComposePrograms): string | undefined {
  if (!isRecord(last) || !isRecord(last["named"])) return undefined;
  const { docker, path } = last["named"];
  const same = docker !== "" && docker === now.docker && last["plugin"] === now.plugin;
  return same && typeof path === "string" && isAmong(now.plugin, path) ? path : undefined;
}

function isLastStack(value: unknown): value is LastStack {
  if (typeof value !== "object" || value === null) return false;
  const stack: Partial<Record<keyof LastStack, unknown>> = value;
  const { project, envPath, variables } = stack;
  if (!isName(project) || !isName(envPath) || typeof variables !== "object" || variables === null) return false;
  const lists = [stack.files, stack.containers, stack.images, stack.volumes];
  return lists.every(areNames) && Object.values(variables).every((text) => typeof text === "string");
}

function areNames(list: unknown): boolean {
  return Array.isArray(list) && list.every(isName);
}

/** Nothing that docker could take for an option. */
function isName(value: unknown): value is string {
  return typeof value === "string" && !value.startsWith("-");
}

function start(command: Command, plugin: string | undefined, socket: EngineSocket | undefined) {
  const abort = new AbortController();
  const result =
    command.args[0] === "compose"
      ? ask(plugin === undefined ? command : askPlugin(command, plugin), abort.signal)
      : askEngine(socket, command, abort.signal);
  return { result, kill: () => abort.abort() };
}

function keyOf({ program, args, env, cwd }: Command): string {
  const set = Object.entries(env).filter(([, value]) => value !== undefined);
  return JSON.stringify([program, args, cwd, set.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}
