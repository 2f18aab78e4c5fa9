import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { keepAnswer, keptAnswer, type MergeAnswer, mergeKey } from "./merged-models.ts";
import { type EngineState, engineAnswer } from "./scripted-engine.ts";

/** An answer of the scripted docker to calls whose arguments, joined by spaces, match `when`. */
export interface Rule {
  readonly when: string;
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  /** Written one after the other, so that they arrive in pieces. */
  readonly chunks?: readonly string[];
  /** The call counts as a successful `compose up`. */
  readonly starts?: boolean;
  /** Only so many of the calls that match are answered like this, counted from when it was scripted. */
  readonly times?: number;
  /** The call does not end by itself. */
  readonly hangs?: boolean;
  /** Once it was answered, these rules hold instead of all that were scripted. */
  readonly afterwards?: readonly Rule[];
}

/**
 * A `docker` in a folder, which asks here what to do. What no rule answers is answered as by an engine that has every
 * image and runs what `compose up` has started; the merging of Compose files is left to the real Compose, which needs no
 * engine for it, and which is asked only once for the same input.
 */
export interface ScriptedDocker {
  /** Every call so far. */
  readonly calls: readonly (readonly string[])[];
  script(rules: readonly Rule[]): void;
  /** Sets what a service's health check says once it runs. */
  health(service: string, health: unknown): void;
  /** From now on containers carry Compose's hashes, so that what is up is as it was wanted. */
  remember(): void;
  close(): Promise<void>;
}

/** Where a scripted docker is and what it may ask. */
export interface Setting {
  /** The folder for the program. */
  readonly bin: string;
  /** Paths of the shell that it is written for, and of the Compose that it may ask. */
  readonly bash: string;
  readonly compose: string;
  /** The folders that hold everything that Compose files of the test can name. */
  readonly inputs: readonly string[];
  /** Where answers of the real Compose are kept for other tests. */
  readonly answers: string;
  /** Hears of every call before it is answered. */
  readonly called: (argv: readonly string[]) => void;
}

interface State extends Setting {
  readonly calls: string[][];
  remembers: boolean;
  readonly engine: EngineState & {
    model: string | undefined;
    started: string | undefined;
    recreated: number;
    health: Record<string, unknown>;
    hashes: Record<string, string>;
  };
  rules: readonly Rule[];
  /** How many calls there were when the rules were set. */
  since: number;
}

/** Puts a scripted docker into its folder. */
export async function startScriptedDocker(setting: Setting): Promise<ScriptedDocker> {
  const engine = { running: false, model: undefined, started: undefined, recreated: 0, health: {}, hashes: {} };
  const state: State = { ...setting, calls: [], engine, rules: [], since: 0, remembers: false };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    // A caller that is killed is no failure of the test.
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    const say = sayTo(socket);
    serve(state, wordsOf(socket), say).catch((error) => {
      say("err", `the scripted docker failed: ${error}\n`);
      say("exit", "125");
    });
  });
  await writeProgram(setting, server);
  return {
    calls: state.calls,
    script(rules) {
      state.rules = rules;
      state.since = state.calls.length;
    },
    health(service, health) {
      state.engine.health = { [service]: health };
    },
    remember() {
      state.remembers = true;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function writeProgram({ bin, bash, compose }: Setting, server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  const body = readFileSync(join(import.meta.dirname, "scripted-docker.bash"), "utf8");
  const head = `#!${bash}\nport=${address.port}\ncompose='${compose}'\n`;
  writeFileSync(join(bin, "docker"), head + body, { mode: 0o755 });
}

type Say = (kind: "out" | "err" | "file" | "ask" | "exit", text: string) => void;

function sayTo(socket: Socket): Say {
  return (kind, text) => {
    if (text !== "") socket.write(`${kind}:${text}\0`);
  };
}

async function serve(state: State, words: AsyncGenerator<string, void>, say: Say): Promise<void> {
  const next = async () => {
    const { value } = await words.next();
    if (value === undefined) throw new Error("its caller is gone");
    return value;
  };
  const [environment, folder] = [await next(), await next()];
  const argv: string[] = [];
  for (let left = Number(await next()); left > 0; left -= 1) argv.push(await next());
  const line = argv.join(" ");
  state.calls.push(argv);
  state.called(argv);
  const rule = state.rules.find((each) => new RegExp(each.when).test(line) && isDue(state, each));
  if (rule?.afterwards) Object.assign(state, { rules: rule.afterwards, since: state.calls.length });
  if (rule) return answer(state, rule, say);
  if (argv[0] === "compose" && argv.includes("config")) {
    const ask = async (draft: string) => {
      say("ask", draft);
      return Number(await next());
    };
    const { exitCode, outPath, stderr } = await merged(state, [environment, folder, ...argv], ask);
    if (argv.includes("--hash") && state.remembers) state.engine.hashes = hashesIn(readFileSync(outPath, "utf8"));
    if (argv.includes("json") && exitCode === 0) state.engine.model = readFileSync(outPath, "utf8");
    say("file", outPath);
    say("err", stderr);
    return say("exit", String(exitCode));
  }
  if (argv[0] === "compose" && argv.includes("up")) start(state.engine);
  if (argv[0] === "compose" && argv.includes("down"))
    Object.assign(state.engine, { running: false, started: undefined });
  answer(state, { when: "", stdout: engineAnswer(argv, state.engine) }, say);
}

function hashesIn(text: string): Record<string, string> {
  return Object.fromEntries(text.split("\n").flatMap((line) => (line === "" ? [] : [line.trim().split(/\s+/)])));
}

/** Containers stay as they were started, whatever is merged later; those of another model are other ones. */
function start(engine: State["engine"]): void {
  if (engine.started !== undefined && engine.started !== engine.model) engine.recreated += 1;
  Object.assign(engine, { running: true, started: engine.model });
}

async function* wordsOf(socket: Socket): AsyncGenerator<string, void> {
  let rest = "";
  for await (const chunk of socket.setEncoding("utf8")) {
    const parts = `${rest}${chunk}`.split("\0");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

/** A rule for the first few calls that match it is past once there were more; this call is among them already. */
function isDue({ calls, since }: State, { when, times = Number.POSITIVE_INFINITY }: Rule): boolean {
  return calls.slice(since).filter((call) => new RegExp(when).test(call.join(" "))).length <= times;
}

function answer(state: State, rule: Rule, say: Say): void {
  const { exitCode = 0, stdout = "", stderr = "", chunks = [], starts = false, hangs = false } = rule;
  if (starts) start(state.engine);
  // The caller reads words byte by byte, which is slow for a long one, and a word ends at a zero byte.
  if (stdout.length > 2_000 || stdout.includes("\0")) {
    const path = join(state.bin, `answer-${state.calls.length}`);
    writeFileSync(path, stdout);
    say("file", path);
  } else say("out", stdout);
  for (const chunk of chunks) say("out", chunk);
  say("err", stderr);
  if (!hangs) say("exit", String(exitCode));
}

async function merged(
  { answers, inputs }: State,
  call: readonly string[],
  ask: (draft: string) => Promise<number>,
): Promise<MergeAnswer> {
  const key = mergeKey(call, inputs);
  const kept = keptAnswer(answers, key);
  if (kept) return kept;
  const draft = join(answers, `${key}-${randomUUID()}`);
  return keepAnswer(answers, key, draft, await ask(draft));
}
