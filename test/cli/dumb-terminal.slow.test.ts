import { type ChildProcess, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { eventually } from "../support/command.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const token = "sk-ant-oat01-Q7vTz3mWn5xYb7cRd2fPq6";
let child: ChildProcess | undefined;
afterEach(() => void child?.kill());

/** A terminal that only appends, as `script` plays it; everything that is written arrives here as it is. */
function openDumb(...args: string[]) {
  const { environment, tool, folder } = workbench();
  const line = [process.execPath, "--", join(tool, "dist/main.js"), ...args].join(" ");
  const env = { ...process.env, ...environment, CI: undefined, TERM: "dumb" };
  const script = spawn("script", ["-qec", line, "/dev/null"], { cwd: folder, env, stdio: ["pipe", "pipe", "inherit"] });
  child = script;
  let text = "";
  script.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const exitCode = new Promise<number | null>((resolve) => script.once("close", resolve));
  let answered = 0;
  return {
    text: () => text,
    exitCode,
    /** Answers the next question, once it ends in these words. */
    async answer(question: string, answer: string) {
      await eventually(async () => expect(text.slice(answered)).toContain(question));
      await eventually(async () => expect(text.trimEnd()).toMatch(/[:)]$/));
      answered = text.length;
      script.stdin.write(answer);
    },
  };
}

describe("a terminal that can only append", () => {
  it("is asked on whole lines without any escape sequence, and a token is not shown", async () => {
    for (const name of ["config.yaml", ".env"]) await rm(join(workbench().folder, name));
    const { answer, exitCode, text } = openDumb("setup");
    await answer("? sandbox mode (a number or a word; Enter takes local): ", "9\n");
    await answer("That is none of 1 to 3.", "local\n");
    await answer("? who may reach it", "\n");
    await answer("? port: ", "none\n");
    await answer("That does not fit", `${workbench().port}\n`);
    await answer("? login of Claude Code", "2\n");
    await answer("? login of Codex", "\n");
    await answer("? memory: ", "512m\n");
    await answer("? processors: ", "\n");
    await answer("? token of Claude Code (not shown): ", `wrong\u007f\u0015${token}x\u007f\r`);
    await answer("? what now (a number or a word; Enter takes write): ", "\n");
    expect(await exitCode).toBe(0);
    expect(text()).not.toContain("\u001b");
    expect(text()).not.toContain(token.slice(0, 6));
    expect(await workbench().read(".env")).toContain(`CLAUDE_CODE_OAUTH_TOKEN=${token}\n`);
    expect(await workbench().read(".env")).toMatch(/^GATEWAY_MEMORY=512m$/m);
  });

  it("interrupts by Ctrl-C at a question as every terminal does, and keeps the answers", async () => {
    for (const name of ["config.yaml", ".env"]) await rm(join(workbench().folder, name), { force: true });
    const { answer, exitCode, text } = openDumb("setup");
    await answer("? sandbox mode", "\n");
    await answer("? who may reach it", "\u0003");
    expect(await exitCode).toBe(130);
    expect(text()).toContain("interrupted: nothing was written; your answers are in");
  });
});
