import { describe, expect, test } from "vitest";
import { DeployError, InterruptedError } from "../../src/errors.ts";
import { FileReadError } from "../../src/files.ts";
import { following, type LastingWorld, within } from "../../src/shell/doctor/deadline.ts";

/** A world whose time passes only when a test says so. */
function slowWorld() {
  const interruption = new AbortController();
  const ended: string[] = [];
  let strike = () => {};
  const world: LastingWorld = {
    signal: interruption.signal,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        strike = () => resolve(void ended.push(`waited ${milliseconds}`));
        for (const each of [signal, interruption.signal]) each?.addEventListener("abort", () => reject(each.reason));
      }),
    run: (_command, options) =>
      new Promise((resolve) => {
        options?.signal?.addEventListener("abort", () => {
          ended.push("child ended");
          resolve({ exitCode: 1, stdout: "", stderr: "", missing: false });
        });
      }),
    http: (_request, signal) =>
      new Promise((resolve) =>
        signal.addEventListener("abort", () => {
          ended.push("request ended");
          resolve({ ok: false, reason: "given up" });
        }),
      ),
  };
  return { world, ended, strike: () => strike(), interruption };
}

const never = () => new Promise<never>(() => undefined);
const command = { program: "docker", args: ["info"], env: {} };

describe("a question with a deadline", () => {
  test("is known when it is answered before, and nothing waits on", async () => {
    const { world } = slowWorld();
    expect(await within(world, 5, async () => 42)).toEqual({ kind: "known", value: 42 });
  });

  test("that a child process never answers is late, and the child is ended", async () => {
    const { world, ended, strike } = slowWorld();
    const asked = within(world, 5, (bound) => bound.run(command));
    strike();
    expect(await asked).toEqual({ kind: "late", seconds: 5 });
    expect(ended).toEqual(["waited 5000", "child ended"]);
  });

  test("that a server never answers is late, and the request is ended", async () => {
    const { world, ended, strike } = slowWorld();
    const asked = within(world, 5, (bound) => bound.http({ url: "http://x" }, bound.signal));
    strike();
    expect(await asked).toEqual({ kind: "late", seconds: 5 });
    expect(ended).toContain("request ended");
  });

  test("that cannot be ended is not waited for", async () => {
    const { world, strike } = slowWorld();
    const asked = within(world, 5, never);
    strike();
    expect(await asked).toMatchObject({ kind: "late" });
  });

  test("that fails after its deadline fails nobody", async () => {
    const { world, strike } = slowWorld();
    let fail: (error: Error) => void = () => {};
    const asked = within(world, 5, () => new Promise<never>((_resolve, reject) => (fail = reject)));
    strike();
    await asked;
    fail(new Error("too late to matter"));
  });

  test.each([
    ["a finding", new DeployError([{ code: "D041", severity: "error", message: "" }]), "D041"],
    ["a file that cannot be read", new FileReadError("/x", "EACCES"), "D014"],
  ])("that ends in %s is refused", async (_case, error, code) => {
    const { world } = slowWorld();
    const known = await within(world, 5, () => Promise.reject(error));
    expect(known).toMatchObject({ kind: "refused", findings: [{ code }] });
  });

  test.each([
    ["a bug", new TypeError("undefined is not a function")],
    ["an interruption", new InterruptedError("Ctrl-C")],
  ])("that ends in %s passes it on", async (_case, error) => {
    const { world } = slowWorld();
    await expect(within(world, 5, () => Promise.reject(error))).rejects.toBe(error);
  });

  test("ends with the whole command", async () => {
    const { world, interruption } = slowWorld();
    const asked = within(world, 5, never);
    const reason = new InterruptedError("Ctrl-C");
    interruption.abort(reason);
    await expect(asked).rejects.toBe(reason);
  });

  test("that needs what is not known is not asked", async () => {
    const late = Promise.resolve({ kind: "late", seconds: 1 } as const);
    const known = await following(late, "no engine", () => Promise.reject(new Error("asked all the same")));
    expect(known).toEqual({ kind: "unasked", why: "no engine" });
  });
});
