import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openTerminal, type Terminal } from "./support/terminal.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
let terminal: Terminal | undefined;
let socket: Server | undefined;
afterEach(async () => {
  await terminal?.close();
  socket?.close();
});

/** An `up` in a terminal that asks whether it may hand out a socket. */
async function question(env: Readonly<Record<string, string>>, ...flags: string[]): Promise<Terminal> {
  const bench = workbench();
  const path = join(bench.folder, "docker.sock");
  socket = createServer().listen(path);
  await once(socket, "listening");
  await bench.write("config.yaml", "sandbox:\n  use: deerflow.community.aio_sandbox:AioSandboxProvider\n");
  await bench.write(
    "deploy.config.yaml",
    `version: 1\nproject: scripted\nsandbox: { docker: { access: raw, socket: ${path} } }\n`,
  );
  terminal = await openTerminal({ ...bench, environment: { ...bench.environment, ...env } }, 80, "up", ...flags);
  await terminal.screenFrom("(y/N)");
  return terminal;
}

describe("questions and tasks in a terminal", () => {
  it.each<[string, Record<string, string>, string[]]>([
    ["NO_COLOR", { NO_COLOR: "1" }, []],
    ["--no-color", {}, ["--no-color"]],
  ])("have no colour with %s, before and after the answer", async (_what, env, flags) => {
    const { isPlain, press, screenFrom } = await question(env, ...flags);
    expect(await isPlain()).toBe(true);
    await press("y");
    await screenFrom("(y/N) ‣ Yes");
    await press("Enter");
    await screenFrom("✔ Grant it? (y/N) · Yes");
    expect(await isPlain()).toBe(true);
  });

  it("have colours otherwise, also where NO_COLOR is empty", async () => {
    const { isPlain } = await question({ NO_COLOR: "" });
    expect(await isPlain()).toBe(false);
  });
});
