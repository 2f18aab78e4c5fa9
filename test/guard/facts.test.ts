import { mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Known, Question } from "../../src/guard/decision/decision.ts";
import { beginInquiry, type Inquiry, type Sources } from "../../src/guard/engine/facts.ts";
import { pinImages } from "../../src/guard/engine/pinned-images.ts";
import { countCreates } from "../../src/guard/engine/quotas.ts";
import { engineAt } from "../../src/guard/engine/upstream.ts";
import { type RecordingDaemon, startRecordingDaemon } from "./support/recording-daemon.ts";

let daemon: RecordingDaemon | undefined;
let folder = "";
afterEach(async () => {
  await daemon?.close();
  daemon = undefined;
  if (folder !== "") await rm(folder, { recursive: true, force: true });
  folder = "";
});

const id = (letter: string) => letter.repeat(64);
const box = {
  ...{
    Id: id("a"),
    Name: "/box",
    Image: "sha256:1",
    State: { Running: true },
    HostConfig: { Memory: 9007199254740991 },
  },
  Config: { Labels: { "sandbox-deploy.guard": "me", __proto__x: "1", constructor: "2" } },
};

async function inquire(signal = new AbortController().signal): Promise<{ daemon: RecordingDaemon; inquiry: Inquiry }> {
  daemon = await startRecordingDaemon({
    images: { "team/box:1": "sha256:1" },
    containers: { box, [id("a")]: box },
    execs: { [id("b")]: id("a") },
  });
  const creates = countCreates(() => 0);
  const sources: Sources = {
    engine: engineAt(daemon.socketPath, 30_000),
    ...{ apiVersion: "1.41", pinnedImages: new Map(), owner: "me", creates },
  };
  return { daemon, inquiry: beginInquiry(sources, signal) };
}

const value = <Value>(known: Known<Value>): Value | "unknown" => (known.known ? known.value : "unknown");

describe("a question", () => {
  test("about a container becomes what the engine says of it", async () => {
    const { inquiry, daemon } = await inquire();
    expect(inquiry.facts.container("box")).toEqual({ known: false, question: { kind: "container", reference: "box" } });
    await inquiry.establish([{ kind: "container", reference: "box" }]);
    expect(value(inquiry.facts.container("box"))).toMatchObject({
      ...{ id: id("a"), name: "box", imageId: "sha256:1", running: true },
      labels: { "sandbox-deploy.guard": "me", constructor: "2" },
    });
    expect(daemon.requests).toMatchObject([{ method: "GET", target: "/v1.41/containers/box/json", question: true }]);
  });

  test("about an exec, an image or how many sandboxes there are is asked of the engine", async () => {
    const { inquiry, daemon } = await inquire();
    await inquiry.establish([
      { kind: "exec", id: id("b") },
      { kind: "image", reference: "team/box:1" },
      { kind: "sandboxes" },
    ]);
    expect(value(inquiry.facts.exec(id("b")))).toEqual({ containerId: id("a"), privileged: false, user: "" });
    expect(value(inquiry.facts.image("team/box:1"))).toBe("sha256:1");
    expect(value(inquiry.facts.sandboxes())).toEqual({ alive: 2, createdLastMinute: 0 });
    expect(daemon.requests.map(({ target }) => decodeURIComponent(target)).sort()).toEqual([
      '/v1.41/containers/json?all=1&filters={"label":["sandbox-deploy.guard=me"]}',
      `/v1.41/exec/${id("b")}/json`,
      "/v1.41/images/team/box:1/json",
    ]);
    inquiry.turn()?.release();
  });

  test.each<Question>([
    { kind: "container", reference: "nobody" },
    { kind: "exec", id: id("f") },
    { kind: "image", reference: "team/other:1" },
    { kind: "path", path: "/nowhere/at/all" },
    { kind: "path", path: "/etc/passwd/below-a-file" },
  ])("about what is not there has an answer: nothing (%j)", async (question) => {
    const { inquiry } = await inquire();
    await inquiry.establish([question]);
    const { facts } = inquiry;
    const known = {
      container: () => value(facts.container("nobody")),
      exec: () => value(facts.exec(id("f"))),
      image: () => value(facts.image("team/other:1")),
      path: () => value(facts.path(question.kind === "path" ? question.path : "")),
      sandboxes: () => undefined,
    };
    expect(known[question.kind]()).toBeUndefined();
  });

  test.each<Question>([
    { kind: "container", reference: "../info" },
    { kind: "container", reference: "box/json?x=" },
    { kind: "container", reference: "" },
    { kind: "container", reference: "." },
    { kind: "exec", id: "../../containers/box" },
    { kind: "exec", id: id("B") },
    { kind: "image", reference: "../containers/box" },
    { kind: "image", reference: "a/../../b" },
    { kind: "image", reference: "a?b" },
    { kind: "image", reference: "a//b" },
    { kind: "image", reference: "a%2fb" },
  ])("that could become another path is answered without the engine: there is no such thing (%j)", async (question) => {
    const { inquiry, daemon } = await inquire();
    await inquiry.establish([question]);
    expect(daemon.requests).toEqual([]);
  });

  test("about a path follows every link", async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "guard-facts-")));
    await mkdir(join(folder, "real/deep"), { recursive: true });
    await symlink("real", join(folder, "one"));
    await symlink("one/deep", join(folder, "two"));
    await symlink("loop", join(folder, "loop"));
    const { inquiry } = await inquire();
    await inquiry.establish([{ kind: "path", path: join(folder, "two") }]);
    expect(value(inquiry.facts.path(join(folder, "two")))).toBe(join(folder, "real/deep"));
    await expect(inquiry.establish([{ kind: "path", path: join(folder, "loop") }])).rejects.toMatchObject({
      ...{ rule: "path.unreadable", status: 502 },
    });
  });

  test("is asked once, however often it stands in a round", async () => {
    const { inquiry, daemon } = await inquire();
    const question = { kind: "container", reference: "box" } as const;
    await inquiry.establish([question, { ...question }]);
    expect(daemon.requests).toHaveLength(1);
  });

  test("is never asked again", async () => {
    const { inquiry } = await inquire();
    await inquiry.establish([{ kind: "path", path: "/" }]);
    await expect(inquiry.establish([{ kind: "path", path: "/" }])).rejects.toMatchObject({ rule: "decision.endless" });
  });

  test("is one of few", async () => {
    const { inquiry } = await inquire();
    const many = Array.from({ length: 300 }, (_, index) => ({ kind: "path", path: `/${index}` }) as const);
    await expect(inquiry.establish(many)).rejects.toMatchObject({ rule: "decision.endless" });
  });
});

describe("an answer that is none", () => {
  test.each([
    ["an error of the engine", { status: 500, body: { message: "no" } }],
    ["a redirect", { status: 301, headers: { Location: "/" } }],
    ["no JSON", { status: 200, body: "hello" }],
    ["a list", { status: 200, body: [] }],
    ["a container without an id", { status: 200, body: { ...box, Id: undefined } }],
    ["a container without an image", { status: 200, body: { ...box, Image: "" } }],
    ["nothing", { status: 200, body: "" }],
  ])("is a failure, and no fact: %s", async (_, answer) => {
    const { inquiry, daemon } = await inquire();
    daemon.answer(() => answer);
    await expect(inquiry.establish([{ kind: "container", reference: "box" }])).rejects.toMatchObject({
      ...{ rule: "engine.inspect", status: 502 },
    });
    expect(inquiry.facts.container("box").known).toBe(false);
  });

  test("is a failure when the engine hangs up", async () => {
    const { inquiry, daemon } = await inquire();
    daemon.answer(() => ({ take: (socket) => void socket.destroy() }));
    await expect(inquiry.establish([{ kind: "sandboxes" }])).rejects.toMatchObject({ rule: "engine.broken" });
    inquiry.turn()?.release();
  });

  test("is a failure when the engine does not answer in time", async () => {
    daemon = await startRecordingDaemon();
    daemon.answer(() => ({ take: () => {} }));
    await expect(engineAt(daemon.socketPath, 30).ask("/version")).rejects.toMatchObject({
      rule: "engine.timeout",
      status: 504,
    });
  });

  test("is a failure when it has no end", async () => {
    daemon = await startRecordingDaemon();
    daemon.answer(() => ({ status: 200, body: Buffer.alloc(17 * 1024 * 1024, " ") }));
    await expect(engineAt(daemon.socketPath, 30_000).ask("/version")).rejects.toMatchObject({ rule: "engine.broken" });
  });
});

describe("pinned images", () => {
  test("keep the id of their first sight, and take in what was missing when it comes", async () => {
    const there = new Map([["a", "sha256:1"]]);
    const pins = await pinImages(["a", "b"], async (reference) => there.get(reference));
    expect([[...pins.ids], pins.missing()]).toEqual([[["a", "sha256:1"]], ["b"]]);
    there.set("a", "sha256:other").set("b", "sha256:2");
    await pins.complete();
    expect([...pins.ids]).toEqual([
      ["a", "sha256:1"],
      ["b", "sha256:2"],
    ]);
    expect(pins.missing()).toEqual([]);
    there.set("b", "sha256:3");
    await pins.complete();
    expect(pins.ids.get("b")).toBe("sha256:2");
  });
});

describe("the turn to create", () => {
  const never = new AbortController().signal;

  test("is one request's at a time, in the order in which they came", async () => {
    const creates = countCreates(() => 0);
    const order: number[] = [];
    const first = await creates.turn(never);
    const others = [1, 2, 3].map(async (index) => {
      const turn = await creates.turn(never);
      order.push(index);
      turn.release();
    });
    expect(order).toEqual([]);
    first.release();
    await Promise.all(others);
    expect(order).toEqual([1, 2, 3]);
  });

  test("passes over a request that left while it waited", async () => {
    const creates = countCreates(() => 0);
    const first = await creates.turn(never);
    const gone = new AbortController();
    const left = creates.turn(gone.signal);
    const next = creates.turn(never);
    gone.abort(new Error("left"));
    first.release();
    await expect(left).rejects.toThrow("left");
    (await next).release();
  });

  test("counts creates for a minute, but not those that the engine refused", async () => {
    let now = 0;
    const creates = countCreates(() => now);
    for (const refused of [false, true, false]) {
      const turn = await creates.turn(never);
      turn.created();
      if (refused) turn.refused();
      turn.release();
      now += 19_999;
    }
    expect(creates.lastMinute()).toBe(2);
    now += 3;
    expect(creates.lastMinute()).toBe(1);
    now += 40_000;
    expect(creates.lastMinute()).toBe(0);
  });
});
