import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { eventually } from "../../support/command.ts";
import type { Workbench } from "./workbench.ts";

/** The tool in a real terminal, which tmux plays. */
export interface Terminal {
  /** What stands on the screen from the first line that contains this text on; waits until there is one. */
  screenFrom(text: string): Promise<string[]>;
  /** The lines as they were written, also where the terminal had to break them. */
  writtenLines(): Promise<string[]>;
  /** Whether anything on the screen has a colour or is bold, dim or underlined. */
  isPlain(): Promise<boolean>;
  /** Presses keys by the names that tmux has for them. */
  press(...keys: string[]): Promise<void>;
  /** Sends a signal to the tool. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** Waits until the tool has ended; whether it left the terminal as it was, and its cursor visible. */
  ended(): Promise<{ readonly exitCode: number; readonly sane: boolean }>;
  /** Takes the terminal away, as a lost connection does, and waits until the tool has ended. */
  close(): Promise<void>;
}

const execute = promisify(execFile);

/** Starts the tool in a terminal this many columns wide, and 50 rows high; to be closed by the caller. */
export async function openTerminal(
  bench: Workbench,
  size: number | { readonly columns: number; readonly rows: number },
  ...args: string[]
): Promise<Terminal> {
  const { columns, rows } = typeof size === "number" ? { columns: size, rows: 50 } : size;
  const at = (name: string) => join(bench.folder, name);
  // One of its own for each terminal: a server that ends takes its socket away at a time of its choosing.
  const server = ["-S", at(`terminal-${randomBytes(3).toString("hex")}.sock`), "-f", "/dev/null"];
  const tmux = async (...words: string[]) => (await execute("tmux", [...server, ...words])).stdout;
  const line = [
    'trap "" HUP; stty -a >before',
    `export TERM="${bench.environment["TERM"] ?? "screen"}"`,
    `sh -c 'echo $$ >pid; exec "$@"' - "${process.execPath}" -- "${bench.tool}/dist/main.js" ${args.join(" ")}`,
    "echo $? >status; stty -a >after; exec cat",
  ].join("; ");
  // A terminal that was there before left its own.
  await Promise.all(["pid", "status", "before", "after"].map((name) => rm(at(name), { force: true })));
  const shape = ["-x", String(columns), "-y", String(rows)];
  await execute("tmux", [...server, "new-session", "-d", ...shape, "-s", "test", line], {
    cwd: bench.folder,
    env: { ...process.env, ...bench.environment, CI: undefined, TERM: "xterm" },
  });
  const number = async (name: string) => {
    const text = await readFile(at(name), "utf8");
    if (!text.endsWith("\n")) throw new Error(`${name} is not yet written`);
    return Number(text);
  };
  return {
    screenFrom: (text) =>
      eventually(async () => {
        const lines = (await tmux("capture-pane", "-p", "-t", "test")).trimEnd().split("\n");
        const first = lines.findIndex((each) => each.includes(text));
        if (first < 0) throw new Error(`the terminal does not show "${text}":\n${lines.join("\n")}`);
        return lines.slice(first).map((each) => each.trimEnd());
      }),
    writtenLines: async () =>
      (await tmux("capture-pane", "-p", "-J", "-S", "-", "-t", "test"))
        .trimEnd()
        .split("\n")
        .map((each) => each.trimEnd()),
    isPlain: async () => !(await tmux("capture-pane", "-e", "-p", "-t", "test")).includes("\u001b["),
    press: async (...keys) => void (await tmux("send-keys", "-t", "test", ...keys)),
    signal: async (name) => void process.kill(await number("pid"), name),
    ended: async () => {
      const exitCode = await eventually(() => number("status"));
      // Nobody can ask a terminal that is gone.
      const cursor = await tmux("display-message", "-p", "-t", "test", "#{cursor_flag}").catch(() => "");
      const after = await eventually(async () => {
        const text = await readFile(at("after"), "utf8");
        if (text === "") throw new Error("the shell has not asked for the state of the terminal yet");
        return text;
      });
      return { exitCode, sane: cursor === "1\n" && after === (await readFile(at("before"), "utf8")) };
    },
    close: async () => {
      await tmux("kill-server").catch(() => "");
      const pid = await number("pid");
      await eventually(async () => expect(isRunning(pid)).toBe(false));
    },
  };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
