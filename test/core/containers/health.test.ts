import { describe, expect, test } from "vitest";
import { isFinished, judgedContainer, judgeHealth } from "../../../src/core/containers/health.ts";
import type { InspectedParts } from "../../support/inspected.ts";
import { container } from "../plan/plan-facts.ts";

const health = (Status: string, FailingStreak = 0, ...outputs: string[]) => ({
  state: { Health: { Status, FailingStreak, Log: outputs.map((Output) => ({ ExitCode: 1, Output, End: "" })) } },
});
const exited = (ExitCode: number, more: Record<string, unknown> = {}) => ({
  state: { Status: "exited", Running: false, ExitCode, ...more },
});
const policy = (Name: string) => ({ hostConfig: { RestartPolicy: { Name } } });
const restarted = (restartCount: number, parts: InspectedParts) => {
  const made = container("app", parts);
  return { ...made, state: { ...made.state, restartCount } };
};

function judge(...containers: ReturnType<typeof container>[]): string {
  return judgeHealth(["app"], containers)
    .map((each) => (each.kind === "ready" ? "ready" : `${each.kind}: ${each.reason}`))
    .join();
}

describe("a service", () => {
  test.each<[what: string, parts: InspectedParts, restarts: number, expected: string]>([
    ["that runs without a health check is ready", {}, 0, "ready"],
    ["that is healthy is ready", health("healthy"), 0, "ready"],
    ["whose health check is disabled is ready", health("none"), 0, "ready"],
    ["that crashed and is healthy again is ready", health("healthy"), 7, "ready"],
    [
      "that is starting is waited for",
      health("starting", 1, "connection refused\n"),
      0,
      "waiting: starting: connection refused",
    ],
    [
      "that is unhealthy early is waited for",
      health("unhealthy", 3, "a\nlast line"),
      0,
      "waiting: unhealthy: last line",
    ],
    [
      "that is unhealthy for long has failed",
      health("unhealthy", 10, "503"),
      0,
      "failed: 10 health checks in a row failed: 503",
    ],
    [
      "that is unhealthy for long and says nothing has failed",
      health("unhealthy", 12),
      0,
      "failed: 12 health checks in a row failed",
    ],
    ["that crashed once and is starting is waited for", health("starting"), 1, "waiting: starting"],
    ["that crashes on and is starting has failed", health("starting"), 4, "failed: it crashes in a loop: 4 restarts"],
    ["that crashes on without a health check has failed", {}, 4, "failed: it crashes in a loop: 4 restarts"],
    [
      "that crashes on with a disabled health check has failed",
      health("none"),
      4,
      "failed: it crashes in a loop: 4 restarts",
    ],
    [
      "that restarts for the first time is waited for",
      { state: { Status: "restarting", ExitCode: 1 } },
      1,
      "waiting: it restarts: it ended with exit code 1",
    ],
    [
      "that restarts and restarts has failed",
      { state: { Status: "restarting", ExitCode: 3 } },
      4,
      "failed: it crashes in a loop: it ended with exit code 3, 4 restarts",
    ],
    ["that ran once and ended well is ready", exited(0), 0, "ready"],
    ["that was to run until it succeeds, and did, is ready", { ...exited(0), ...policy("on-failure") }, 2, "ready"],
    ["that ran once and ended badly has failed", exited(2), 0, "failed: it ended with exit code 2"],
    [
      "that used up its restarts has failed",
      { ...exited(2), ...policy("on-failure") },
      3,
      "failed: it ended with exit code 2",
    ],
    [
      "that ended although it restarts always is waited for",
      { ...exited(0), ...policy("always") },
      0,
      "waiting: it ended with exit code 0",
    ],
    [
      "whose program does not exist has failed, whatever its policy",
      { ...exited(127), ...policy("always") },
      0,
      "failed: it ended with exit code 127",
    ],
    [
      "whose program may not be run has failed, whatever its policy",
      { ...exited(126), ...policy("unless-stopped") },
      0,
      "failed: it ended with exit code 126",
    ],
    [
      "that ran out of memory has failed and says so",
      exited(137, { OOMKilled: true }),
      0,
      "failed: it ran out of its memory limit",
    ],
    [
      "that the engine could not start has failed with the engine's words",
      { state: { Status: "created", Error: "port is already allocated" } },
      0,
      "failed: port is already allocated",
    ],
    [
      "that is created is waited for",
      { state: { Status: "created" } },
      0,
      "waiting: its container is created but not started",
    ],
    ["that is dead has failed", { state: { Status: "dead" } }, 0, "failed: the engine reports its container as dead"],
    ["that is paused is waited for", { state: { Status: "paused" } }, 0, "waiting: its container is paused"],
    ["that is being removed is waited for", { state: { Status: "removing" } }, 0, "waiting: its container is removing"],
    [
      "that publishes a port and ended well has failed",
      { ...exited(0), hostConfig: { PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "80" }] } } },
      0,
      "failed: it ended with exit code 0",
    ],
  ])("%s", (_, parts, restarts, expected) => {
    expect(judge(restarted(restarts, parts))).toBe(expected);
  });

  test("without a container is waited for", () => {
    expect(judge()).toBe("waiting: its container has not been created yet");
    expect(judge(container("other"))).toBe("waiting: its container has not been created yet");
  });

  test("of several containers is as good as the worst of them", () => {
    const [good, starting, bad] = [container("app"), container("app", health("starting")), container("app", exited(1))];
    expect(judge(good, good)).toBe("ready");
    expect(judge(good, starting)).toBe("waiting: starting");
    expect(judge(starting, bad, good)).toBe("failed: it ended with exit code 1");
  });

  test("of several containers is shown by the one that it is judged by", () => {
    const [good, starting, bad] = [container("app"), container("app", health("starting")), container("app", exited(1))];
    for (const all of [[good, starting, bad], [good, starting], [good, good], []])
      expect(judgeHealth(["app"], all).map((each) => judgedContainer(each, all))).toEqual([all.at(-1)]);
  });
});

test("every service is judged, in the order asked for", () => {
  const judged = judgeHealth(["b", "a"], [container("a"), container("c")]);
  expect(judged.map(({ service, kind }) => [service, kind])).toEqual([
    ["b", "waiting"],
    ["a", "ready"],
  ]);
});

test.each<[parts: InspectedParts, expected: boolean]>([
  [{}, false],
  [exited(0), true],
  [exited(1), false],
  [{ ...exited(0), ...policy("on-failure") }, true],
  [{ ...exited(0), ...policy("always") }, false],
  [{ ...exited(0), ...policy("unless-stopped") }, false],
])("a container is finished when it ended well and nothing would start it again (%#)", (parts, expected) => {
  expect(isFinished(container("app", parts))).toBe(expected);
});

describe("time", () => {
  const clock = { settledBefore: "2026-01-01T00:00:10.000Z", recentSince: "2026-01-01T00:00:00.000Z" };
  const startedAt = (time: string, restartCount: number, parts: InspectedParts) => {
    const made = container("app", parts);
    return { ...made, state: { ...made.state, startedAt: time, restartCount } };
  };

  test.each<[what: string, time: string, restarts: number, expected: string, parts?: InspectedParts]>([
    ["has only just started and has no health check is waited for", "2026-01-01T00:00:12.123456789Z", 0, "waiting"],
    ["has run for a while without a health check is ready", "2026-01-01T00:00:05.123456789Z", 0, "ready"],
    ["crashed often and has just started again has failed", "2026-01-01T00:00:05Z", 5, "failed"],
    ["crashed often long ago and has run ever since is ready", "2025-12-01T00:00:00Z", 5, "ready"],
    ["is healthy and has only just started is waited for", "2026-01-01T00:00:12Z", 0, "waiting", health("healthy")],
    ["is healthy and crashed again and again has failed", "2026-01-01T00:00:12Z", 5, "failed", health("healthy")],
    ["is healthy and has run for a while is ready", "2026-01-01T00:00:05Z", 5, "ready", health("healthy")],
  ])("a service that %s", (_what, time, restarts, expected, parts = {}) => {
    expect(judgeHealth(["app"], [startedAt(time, restarts, parts)], clock).map(({ kind }) => kind)).toEqual([expected]);
  });

  const pausing = { state: { Status: "restarting", ExitCode: 2 } };
  test.each<[what: string, time: string, expected: string, parts?: InspectedParts]>([
    ["and pauses since then is waited for: its cause may be mended", "2026-01-01T00:00:05Z", "waiting", pausing],
    ["and crashed again since then has failed", "2026-01-01T00:00:12Z", "failed", pausing],
    ["and has started again is waited for", "2026-01-01T00:00:12Z", "waiting", health("starting")],
    ["and runs without a health check is waited for until long after", "2026-01-01T00:00:05Z", "waiting"],
    ["and runs since long is ready", "2025-12-31T23:59:59Z", "ready"],
    ["and is healthy for a while is ready", "2026-01-01T00:00:05Z", "ready", health("healthy")],
  ])("a service that crashed often before somebody began to wait %s", (_what, time, expected, parts = {}) => {
    const waited = { ...clock, began: "2026-01-01T00:00:11.000Z" };
    expect(judgeHealth(["app"], [startedAt(time, 12, parts)], waited).map(({ kind }) => kind)).toEqual([expected]);
  });
});
