import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRun } from "../../src/shell/processes/exec.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "deploy-exec-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function script(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
  return path;
}

const run = (program: string, secrets: readonly string[] = [], onOutput?: (chunk: string) => void) =>
  createRun(new AbortController().signal, () => secrets)(
    { program, args: ["with", "some args"], env: { PATH: process.env["PATH"] } },
    onOutput ? { onOutput } : {},
  );

describe("a program", () => {
  it.each(["no-such-program", "/no/such/program"])("that does not exist, %s, is missing", async (program) => {
    expect(await run(program)).toMatchObject({ exitCode: 127, missing: true });
  });

  it.each([
    ["calls a tool that is not installed", "no-such-tool 1>&2"],
    ["becomes a tool that is not installed", "exec no-such-tool"],
    ["says itself that something was not found", "echo 'no-such-tool: not found' >&2; exit 127"],
    ["hands the failure of a shell on", "/bin/sh -c 'exec no-such-tool'"],
    ["fails after other words", "echo reading >&2; /bin/sh -c no-such-tool"],
  ])("that %s is not missing itself", async (_what, text) => {
    expect(await run(await script("tool.sh", text))).toMatchObject({ exitCode: 127, missing: false });
  });

  it("passes no secret on while it runs, in whatever spelling and wherever its bytes are torn apart", async () => {
    const secret = "pä$$w/€rt+🙈";
    const spelled = [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString("base64"),
      JSON.stringify(secret),
    ];
    const bytes = Buffer.from(spelled.map((each) => `before ${each} behind\n`).join(""));
    await writeFile(join(folder, "said"), bytes);
    for (const size of [1, 3, 7]) {
      const shown: string[] = [];
      const path = await script("tear.sh", `exec dd if=${join(folder, "said")} bs=${size} status=none`);
      await run(path, [secret], (chunk) => void shown.push(chunk));
      expect(shown.join("").replaceAll('"', "").split("\n")).toEqual([
        ...spelled.map(() => "before ‹redacted› behind"),
        "",
      ]);
    }
  });

  it("passes no secret on while it runs, also when it prints it in two pieces", async () => {
    const shown: string[] = [];
    const path = await script("tell.sh", "printf 'the word is hush'; sleep 0.2; printf 'hush-now, is it?'");
    const { stdout } = await run(path, ["hushhush-now"], (chunk) => void shown.push(chunk));
    expect(shown.join("")).toBe("the word is ‹redacted›, is it?");
    expect(stdout).toBe("the word is hushhush-now, is it?");
  });
});
