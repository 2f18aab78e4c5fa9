import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createProvisionerProvider, type ProvisionerOptions } from "../../src/gateway/providers/provisioner.ts";
import type { RunRequest } from "../../src/gateway/run.ts";
import { eventually } from "../support/command.ts";
import { type FakeProvisioner, startFakeProvisioner } from "./support/fake-provisioner.ts";
import { freePort } from "./support/redis-server.ts";

const run: RunRequest = {
  id: "0123456789abcdef",
  language: "bash",
  code: "echo out; echo err >&2; exit 4",
  timeoutSeconds: 5,
};
const never = new AbortController().signal;

let provisioner: FakeProvisioner;
let remembered: Set<string>;
let leftovers: string[];

beforeEach(async () => {
  provisioner = await startFakeProvisioner();
  remembered = new Set();
  leftovers = [];
});
afterEach(() => provisioner.close());

function provider(changes: Partial<ProvisionerOptions> = {}) {
  return createProvisionerProvider({
    url: `${provisioner.url}/`,
    apiKey: provisioner.apiKey,
    outputBytesMax: 1000,
    readySeconds: 20,
    register: {
      add: async (id) => void remembered.add(id),
      remove: async (id) => void remembered.delete(id),
      list: async () => [...remembered],
    },
    onLeftover: (id) => leftovers.push(id),
    ...changes,
  });
}

describe("the provisioner provider", () => {
  it("makes a sandbox with the key in X-API-Key, runs the code in it and deletes it", async () => {
    const outcome = await provider().run(run, never);
    expect(outcome).toMatchObject({ stdout: "out\n", stderr: "err\n", exitCode: 4, timedOut: false, truncated: false });
    expect(provisioner.created).toEqual([
      {
        sandbox_id: expect.stringMatching(/^[0-9a-f]{16}$/),
        thread_id: expect.stringMatching(/^run-[0-9a-f]{16}$/),
        user_id: "default",
      },
    ]);
    expect(outcome.ranIn).toMatchObject({ mode: "provisioner", sandboxUrl: expect.stringContaining("/pod/") });
    expect(provisioner.sandboxes.size).toBe(0);
    expect(remembered.size).toBe(0);
  });

  it("waits until the status says that it runs and the sandbox itself answers", async () => {
    provisioner.behaviour.statuses = ["Pending", "Running"];
    provisioner.behaviour.unreadyAnswers = 1;
    await provider().run(run, never);
    const polled = provisioner.calls.filter((call) => call === "GET /api/sandboxes/*" || call === "GET /v1/sandbox");
    expect(polled).toEqual(["GET /api/sandboxes/*", "GET /v1/sandbox", "GET /api/sandboxes/*", "GET /v1/sandbox"]);
  });

  it.each([
    ["python", `print("it's", '"quoted"', "$HOME")`, `it's "quoted" $HOME\n`],
    ["node", "console.log('$(id)', `back`, \"\\\\\")", "$(id) back \\\n"],
    ["bash", "echo 'a b' \"$((1+1))\"", "a b 2\n"],
  ] as const)("passes %s code through the sandbox's shell unchanged", async (language, code, stdout) => {
    expect(await provider().run({ ...run, language, code }, never)).toMatchObject({ stdout, exitCode: 0 });
  });

  it.each([
    ["the code fails to run", { exec: { status: 200, body: { success: false, message: "no shell" } } }, "no shell"],
    ["the sandbox answers nonsense", { exec: { status: 500, body: "oops" } }, "HTTP 500"],
    ["the sandbox is too old", { exec: { status: 404, body: {} } }, "1.9.3 or later"],
    ["the sandbox ends before it is ready", { statuses: ["Pending", "Failed"] }, "status Failed"],
    ["the provisioner fails to make it", { failures: { "POST /api/sandboxes": 500 } }, "told to fail"],
  ])("deletes the sandbox when %s, and says why", async (_when, behaviour, message) => {
    Object.assign(provisioner.behaviour, behaviour);
    await expect(provider().run(run, never)).rejects.toMatchObject({
      status: 502,
      message: expect.stringContaining(message),
    });
    expect(provisioner.calls.at(-1)).toBe("DELETE /api/sandboxes/*");
    expect(provisioner.sandboxes.size).toBe(0);
    expect(remembered.size).toBe(0);
  });

  it("deletes a sandbox that does not get ready in time and says what was seen last", async () => {
    provisioner.behaviour.statuses = ["Pending"];
    await expect(provider({ readySeconds: 0.2 }).run(run, never)).rejects.toMatchObject({
      status: 502,
      message: expect.stringContaining('"Pending"'),
    });
    expect(provisioner.sandboxes.size).toBe(0);
  });

  it("ends a run and deletes its sandbox when the gateway stops", async () => {
    provisioner.behaviour.exec = "never";
    const stopping = new AbortController();
    const failed = expect(provider().run(run, stopping.signal)).rejects.toMatchObject({ status: 503 });
    await eventually(() => expect(provisioner.execs).toHaveLength(1));
    stopping.abort();
    await failed;
    expect(provisioner.sandboxes.size).toBe(0);
  });

  it("takes a command that the sandbox killed for a time-out", async () => {
    const data = { status: "timed_out", stdout: "so far", stderr: null, exit_code: null };
    provisioner.behaviour.exec = { status: 200, body: { success: true, data } };
    const outcome = await provider().run(run, never);
    expect(outcome).toMatchObject({ stdout: "so far", stderr: "", exitCode: null, timedOut: true });
    expect(provisioner.execs).toEqual([expect.objectContaining({ hard_timeout: 5 })]);
  });

  it("cuts output at the limit and says so", async () => {
    const outcome = await provider({ outputBytesMax: 3 }).run(run, never);
    expect(outcome).toMatchObject({ stdout: "out", stderr: "err", truncated: true });
  });

  it("makes no sandbox that it could not remember", async () => {
    const register = {
      add: () => Promise.reject(new Error("store is down")),
      remove: async () => undefined,
      list: async () => [],
    };
    await expect(provider({ register }).run(run, never)).rejects.toThrow("store is down");
    expect(provisioner.calls).toEqual([]);
  });

  it("deletes on the next start what a crash left behind", async () => {
    provisioner.sandboxes.add("dead");
    remembered.add("dead").add("gone already");
    expect(await provider().sweep()).toEqual({ removed: ["dead", "gone already"], failed: [] });
    expect(provisioner.sandboxes.size).toBe(0);
    expect(remembered.size).toBe(0);
  });

  it("remembers a sandbox that could not be deleted, for the next sweep", async () => {
    provisioner.behaviour.failures = { "DELETE /api/sandboxes/*": 500 };
    const failing = provider();
    await failing.run(run, never);
    expect(leftovers).toHaveLength(1);
    expect(remembered.size).toBe(1);
    provisioner.behaviour.failures = {};
    expect((await failing.sweep()).removed).toEqual(leftovers);
    expect(provisioner.sandboxes.size).toBe(0);
  });

  it("explains a refused key without showing it", async () => {
    const wrong = provider({ apiKey: "wrong-key-value" });
    const failure = await wrong.run(run, never).catch((error: unknown) => String(error));
    expect(failure).toContain("sandbox.provisioner_api_key must equal its PROVISIONER_API_KEY");
    expect(failure).not.toContain("wrong-key-value");
  });

  it("knows whether the provisioner is there", async () => {
    expect(await provider().readiness()).toEqual({ canRun: true });
    expect(await provider({ url: `http://127.0.0.1:${await freePort()}` }).readiness()).toMatchObject({
      canRun: false,
      reason: expect.stringContaining("ECONNREFUSED"),
    });
  });
});
