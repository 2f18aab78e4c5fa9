import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesText } from "../../src/core/doctor/bytes-text.ts";
import {
  judgeDisk,
  judgeLimits,
  judgeMemory,
  judgeStorage,
  type ServiceLimits,
  type Space,
  serviceLimits,
} from "../../src/core/doctor/capacity-checks.ts";
import type { Verdict } from "../../src/core/doctor/check.ts";
import { judgeClock } from "../../src/core/doctor/clock-check.ts";
import { parseHttpDate, parseTimestamp } from "../../src/core/doctor/instant.ts";
import { modelOf } from "../support/granted.ts";
import { reportOf } from "./reports.ts";

const found = ({ problems }: Verdict) => problems.map(({ severity, code }) => `${severity} ${code}`);
const GiB = 2 ** 30;
const MiB = 2 ** 20;

describe("limits", () => {
  const limited: ServiceLimits[] = [{ service: "app", count: 1, limits: { memory: GiB, memoryAndSwap: GiB, pids: 9 } }];

  test("that the kernel enforces are healthy", () => expect(found(judgeLimits(reportOf(), limited))).toEqual([]));

  test.each([
    ["swap on cgroup v1", { SwapLimit: false, CgroupVersion: "1" }, limited, "swapaccount=1"],
    ["memory", { MemoryLimit: false, SwapLimit: false }, limited, "cgroup_enable=memory"],
    ["processes of a rootless engine", { PidsLimit: false, SecurityOptions: ["name=rootless"] }, limited, "Delegate="],
    [
      "a rootless engine on cgroup v1",
      { MemoryLimit: false, SecurityOptions: ["name=rootless"], CgroupVersion: "1" },
      limited,
      "unified_cgroup_hierarchy",
    ],
    ["swap, without a stack", { SwapLimit: false }, undefined, "swapaccount=1"],
  ])("are told where the kernel does not hold %s", (_case, info, services, fix) => {
    const verdict = judgeLimits(reportOf(info), services);
    expect(found(verdict)).toEqual(["warning D208"]);
    expect(verdict.problems[0]?.fix).toContain(fix);
  });

  test("that nobody asked for need not be enforced", () =>
    expect(found(judgeLimits(reportOf({ CpuCfsQuota: false }), limited))).toEqual([]));
});

describe("storage", () => {
  test.each([
    [{}, []],
    [{ Driver: "fuse-overlayfs" }, []],
    [{ Driver: "overlayfs", DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] }, []],
    [{ Driver: "vfs", DriverStatus: [] }, ["warning D209"]],
    [{ Driver: "devicemapper" }, ["warning D209"]],
    [
      {
        DriverStatus: [
          ["Backing Filesystem", "xfs"],
          ["Supports d_type", "false"],
        ],
      },
      ["error D209"],
    ],
  ])("%j: %j", (info, expected) => expect(found(judgeStorage(reportOf(info)))).toEqual(expected));
});

describe("disk", () => {
  const space = (parts: Partial<Space>): Space => {
    return { what: "data", path: "/var/lib/docker", free: 50 * GiB, size: 100 * GiB, inodes: 10 ** 6, ...parts };
  };

  test.each<[what: string, parts: Partial<Space>, imagesMissing: boolean, expected: string[]]>([
    ["plenty", {}, true, []],
    ["little for images", { free: 5 * GiB }, true, ["warning D210"]],
    ["enough without them", { free: 5 * GiB }, false, []],
    ["too little for images", { free: GiB }, true, ["error D210"]],
    ["little without them", { free: GiB }, false, ["warning D210"]],
    ["nothing", { free: 100 * MiB }, false, ["error D210"]],
    ["the project's own folder", { what: "project", path: "/srv", free: 100 * MiB }, true, ["warning D210"]],
    ["the project's own folder, full", { what: "project", path: "/srv", free: 0 }, true, ["error D210"]],
    ["no inodes", { inodes: 100 }, true, ["warning D210"]],
    ["no count of inodes", { inodes: undefined }, true, []],
  ])("%s", (_what, parts, imagesMissing, expected) =>
    expect(found(judgeDisk([space(parts)], { imagesMissing }))).toEqual(expected),
  );

  test("that is full may be accepted by name, one that is nearly full need not", () => {
    const names = (free: number) =>
      judgeDisk([space({ free })], { imagesMissing: true }).problems.map(({ acceptName }) => acceptName);
    expect([...names(0), ...names(3 * GiB)]).toEqual(["low-disk", undefined]);
  });
});

describe("memory", () => {
  const services: ServiceLimits[] = [
    { service: "app", count: 2, limits: { memory: GiB } },
    { service: "db", count: 1, limits: { memory: GiB } },
  ];

  test.each<[total: number, available: number | undefined, expected: string[]]>([
    [8 * GiB, 4 * GiB, []],
    [8 * GiB, undefined, []],
    [3 * GiB, 2 * GiB, []],
    [2 * GiB, 2 * GiB, ["warning D211"]],
    [GiB / 2, GiB / 2, ["error D211"]],
    [8 * GiB, 100 * MiB, ["warning D211"]],
    [0, undefined, []],
  ])("of %d bytes with %s available", (total, available, expected) =>
    expect(found(judgeMemory({ total, available }, services))).toEqual(expected),
  );

  test("is compared with the limits of the services that start", () => {
    const services = {
      a: { image: "x", mem_limit: "1048576" },
      b: { image: "x", deploy: { replicas: 3, resources: { limits: { memory: "2097152" } } } },
      off: { image: "x", scale: 0, mem_limit: "1" },
      other: { image: "x", mem_limit: "1" },
    };
    const model = modelOf({ services });
    const wanted = serviceLimits(model, ["other"]).map(({ service, count, limits }) => [service, count, limits.memory]);
    expect(wanted).toEqual([
      ["a", 1, MiB],
      ["b", 3, 2 * MiB],
    ]);
  });
});

describe("bytes", () => {
  test.each([
    [0, "0 bytes"],
    [1023, "1023 bytes"],
    [1536, "1.5 KiB"],
    [GiB, "1 GiB"],
    [76.5 * GiB, "77 GiB"],
    [252 * GiB, "252 GiB"],
  ])("%d are %s", (bytes, text) => expect(bytesText(bytes)).toBe(text));
});

describe("the clock", () => {
  const now = Date.parse("2026-01-02T03:04:05Z");
  const told = (offset: number, grain = 0) => ({
    ...{ by: "the engine", told: now + offset, grain, askedAt: now - 100, answeredAt: now + 100 },
  });

  test.each<[what: string, facts: Parameters<typeof judgeClock>[0], expected: string[]]>([
    ["nobody to compare with", { told: [], now, deployedAt: undefined }, []],
    ["the same", { told: [told(0)], now, deployedAt: now - 1000 }, []],
    ["within the time that the answer took", { told: [told(-60_000, 60_000)], now, deployedAt: undefined }, []],
    ["behind", { told: [told(-90_000)], now, deployedAt: undefined }, ["warning D212"]],
    ["ahead", { told: [told(90_000)], now, deployedAt: undefined }, ["warning D212"]],
    ["a deployment of tomorrow", { told: [], now, deployedAt: now + 86_400_000 }, ["warning D212"]],
  ])("%s", (_what, facts, expected) => expect(found(judgeClock(facts))).toEqual(expected));

  test("is read from what engines and web servers write, as Date reads it", () => {
    const times = fc.date({ min: new Date("1970-01-01"), max: new Date("2199-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(times, (date) => {
        expect(parseTimestamp(date.toISOString())).toBe(date.getTime());
        expect(parseHttpDate(date.toUTCString())).toBe(Math.floor(date.getTime() / 1000) * 1000);
      }),
    );
  });

  test.each(["2026-01-02T03:04:05.5+02:00", "2026-01-02T03:04:05-08:30", "2024-02-29T23:59:59.123456789Z"])(
    "%s is read with its offset and its parts of a second",
    (text) => expect(parseTimestamp(text)).toBeCloseTo(Date.parse(text.replace(/(\.\d{3})\d+/, "$1")), -1),
  );

  test.each(["", "yesterday", "2026-01-02", "Fri, 02 Foo 2026 03:04:05 GMT"])("%j is no time", (text) =>
    expect([parseTimestamp(text), parseHttpDate(text)]).toEqual([undefined, undefined]),
  );
});
