import { spawn } from "node:child_process";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Machine, parseHolder, placeOf } from "../../src/core/deployment/lock-holder.ts";
import { durationText } from "../../src/core/text/duration.ts";
import { eventually } from "../support/command.ts";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

const ann = {
  ...{ host: "far-away", pid: 7, started: "70", user: "ann", command: "up", since: "2026-01-01T00:00:00.000Z" },
  ...{ at: Date.parse("2026-01-01T00:00:00.000Z"), token: "0a", project: "scripted", folder: "/srv/shop" },
  machine: { boot: "another", namespace: "pid:[1]", id: "m1" },
};
const claimOf = (holder: unknown) => `sandbox-deploy-lock-scripted-0a\t${JSON.stringify(holder)}\n`;
const claims = "^volume ls .*sandbox-deploy.lock=";

/** What was done to claims so far: each was made under a name of its own. */
async function claimCalls(): Promise<string[]> {
  const calls = (await workbench().calls()).map((argv) => argv.join(" "));
  return calls
    .filter((call) => /^volume (create|rm) .*sandbox-deploy-lock-/.test(call))
    .map((call) => call.replace(/--label .* /, ""));
}

describe("a project that somebody else deploys on the same engine", () => {
  it("is left alone with exit 4, who it is, and what to do where nobody can tell whether that still runs", async () => {
    await workbench().script({ when: claims, stdout: claimOf(ann) });
    const said = await refused(workbench(), 4, "up");
    expect(said).toContain("error D063 the lock is held: ann runs `up` since 2026-01-01T00:00:00.000Z (");
    expect(said).toContain(", process 7 on far-away, in /srv/shop; from here nobody can tell whether it still does");
    expect(said).toContain("./deploy unlock --force");
    const [made, ...rest] = await claimCalls();
    expect(made).toMatch(/^volume create sandbox-deploy-lock-scripted-[0-9a-f]{16}$/);
    expect(rest).toEqual([made?.replace("create", "rm --force")]);
  });

  it("is left alone also where the claim does not tell whose it is", async () => {
    await workbench().script({ when: claims, stdout: "sandbox-deploy-lock-scripted-0a\t\u001b[2J\n" });
    expect(await refused(workbench(), 4, "up")).toContain(
      "the lock is held: the volume sandbox-deploy-lock-scripted-0a does not tell by whom",
    );
  });

  it("is deployed with --lock-wait once that has ended, after all was read anew", async () => {
    const bench = workbench();
    bench.openFrontDoor("local");
    await bench.script({ when: claims, stdout: claimOf(ann), times: 2 });
    const { exitCode, stderr } = await bench.deploy("up", "--lock-wait", "600");
    expect(`${exitCode} ${stderr}`).toMatch(/^0 /);
    expect(stderr).toMatch(/waiting, 600 s at most: the lock is held: ann runs `up`/);
    expect((await bench.calls()).filter((argv) => argv[0] === "ps" && argv.join(" ").includes("oneoff")).length).toBe(
      4,
    );
  });

  it("is left alone by a waiting command that is interrupted: exit 130, nothing changed", async () => {
    const bench = workbench();
    await bench.script({ when: claims, stdout: claimOf(ann) });
    const child = spawn(process.execPath, [join(bench.tool, "dist/main.js"), "up", "--lock-wait", "600"], {
      cwd: bench.folder,
      env: { ...process.env, ...bench.environment },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk) => (said += String(chunk)));
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    await eventually(async () => expect(said).toContain("waiting, 600 s at most"));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(await bench.changes()).toEqual([]);
  });
});

describe("a claim", () => {
  it("of a process of this machine that has ended is removed with a notice", async () => {
    const bench = workbench();
    bench.openFrontDoor("local");
    const dead = { ...ann, host: hostname(), pid: 2 ** 22 + 1, machine: { boot: "", namespace: "", id: "" } };
    await bench.script({ when: claims, stdout: claimOf(dead) });
    const { exitCode, stderr } = await bench.deploy("up");
    expect(`${exitCode} ${stderr}`).toMatch(/^0 /);
    expect(stderr).toContain("the lock of up (process 4194305) is left over: taking it");
    expect(await claimCalls()).toContain("volume rm --force sandbox-deploy-lock-scripted-0a");
  });

  it("is removed when the work fails, and when it is interrupted", async () => {
    const bench = workbench();
    await bench.script({ when: "^compose .* up", exitCode: 1, stderr: "no\n" });
    expect((await bench.deploy("up")).exitCode).toBe(1);
    await bench.script({ when: "^compose .* up", hangs: true });
    const child = spawn(process.execPath, [join(bench.tool, "dist/main.js"), "up"], {
      cwd: bench.folder,
      env: { ...process.env, ...bench.environment },
      stdio: "ignore",
    });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    await eventually(async () => expect((await bench.calls()).filter((argv) => argv.includes("up")).length).toBe(2));
    child.kill("SIGTERM");
    expect(await ended).toBe(130);
    const calls = await claimCalls();
    expect(calls.length).toBe(4);
    for (const made of [calls[0], calls[2]])
      expect(calls).toContain(made?.replace("volume create", "volume rm --force"));
  });

  it("that an engine cannot make is the engine's failure, not a lock's", async () => {
    await workbench().script({ when: "^volume create", exitCode: 1, stderr: "Error response from daemon: no room\n" });
    expect(await refused(workbench(), 3, "up")).toContain("D041 docker failed: Error response from daemon: no room");
  });
});

describe("where a holder's process was started", () => {
  const here: Machine = { boot: "b1", namespace: "n1", id: "m1" };
  it.each([
    ["here, whatever the host is called by now", "renamed", here, "here"],
    ["in a container on this machine", "here", { ...here, namespace: "n2" }, "elsewhere"],
    ["on this machine before it started anew", "here", { ...here, boot: "b0" }, "gone"],
    ["on another machine of the same name", "here", { boot: "b0", namespace: "n1", id: "m2" }, "elsewhere"],
    ["on one of the same name that has no id", "here", { boot: "b0", namespace: "n1", id: "" }, "elsewhere"],
    ["by an earlier version, on a host of this name", "here", { boot: "", namespace: "", id: "" }, "here"],
    ["by an earlier version, on another host", "there", { boot: "", namespace: "", id: "" }, "elsewhere"],
  ] as const)("%s", (_case, host, machine, expected) => {
    const holder = parseHolder(JSON.stringify({ ...ann, host, machine }));
    expect(holder && placeOf(holder, "here", here)).toBe(expected);
  });
});

describe("a duration", () => {
  it.each([
    [-5, "0 s"],
    [59.9, "59 s"],
    [200, "3 min 20 s"],
    [7_200, "2 h"],
    [277_200, "3 d 5 h"],
    [86_459, "1 d"],
  ])("of %d s is %s", (seconds, text) => expect(durationText(seconds)).toBe(text));
});
