import { describe, expect, test } from "vitest";
import type { Verdict } from "../../src/core/doctor/check.ts";
import { checkCompose, checkEngine, isLocal, judgeBuildx } from "../../src/core/doctor/engine-checks.ts";
import { parseEngineReport } from "../../src/core/doctor/engine-report.ts";
import { judgeRights, rightsEvidence } from "../../src/core/doctor/rights-check.ts";
import { floors, isDistributions, isFixed, judgeVersions } from "../../src/core/doctor/version-floors.ts";
import { healthyInfo, reportOf } from "./reports.ts";

const found = ({ problems }: Pick<Verdict, "problems">) => problems.map(({ severity, code }) => `${severity} ${code}`);
const component = (Name: string, Version: string, GitCommit = "") => ({ Name, Version, Details: { GitCommit } });
const facts = { report: reportOf(), endpoint: "unix:///var/run/docker.sock", failure: undefined, time: undefined };

describe("the engine", () => {
  test("that answers is healthy and says what it is", () => {
    const { state, text } = checkEngine({ kind: "known", value: facts }, undefined);
    expect(`${state} ${text}`).toBe("healthy Engine 29.5.1 on Debian GNU/Linux 13 (trixie)");
  });

  test("that hangs does not answer, an error", () => {
    const { problems } = checkEngine({ kind: "late", seconds: 10 }, undefined);
    expect(problems).toMatchObject([
      { code: "D041", severity: "error", message: expect.stringContaining("10 seconds") },
    ]);
  });

  test("that this user may not use comes with what was seen of the user", () => {
    const failure = { code: "D042", severity: "error", message: "no" } as const;
    const seen = { evidence: ["groups: none"], fix: "usermod" };
    const { problems } = checkEngine({ kind: "known", value: { ...facts, failure } }, seen);
    expect(problems).toMatchObject([{ code: "D042", ...seen }]);
  });

  test("that listens without encryption is a warning, with its own words", () => {
    const warning = "WARNING: API is accessible on http://0.0.0.0:2375 without encryption.";
    const report = reportOf({ Warnings: [warning, "WARNING: bridge-nf-call-iptables is disabled"] });
    const { problems } = checkEngine({ kind: "known", value: { ...facts, report } }, undefined);
    expect(problems).toMatchObject([{ code: "D205", severity: "warning", evidence: [warning] }]);
  });

  test("of another machine is a warning, without the password of its address", () => {
    const value = { ...facts, endpoint: "ssh://ann:geheim@far-away" };
    const { problems } = checkEngine({ kind: "known", value }, undefined);
    expect(problems).toMatchObject([{ code: "D206", evidence: ["docker asks ssh://far-away"] }]);
    expect(JSON.stringify(problems)).not.toContain("geheim");
  });

  test.each([
    ["", true],
    ["unix:///run/user/1000/docker.sock", true],
    ["tcp://127.0.0.1:2375", true],
    ["tcp://localhost:2375", true],
    ["tcp://10.0.0.1:2376", false],
    ["ssh://host", false],
  ])("at %j is on this machine: %s", (endpoint, expected) => expect(isLocal(endpoint)).toBe(expected));

  test("that did not answer still lets docker name its own plugins", () => {
    const info = { ServerErrors: ["Cannot connect"], ClientInfo: healthyInfo.ClientInfo };
    const report = parseEngineReport(JSON.stringify(info), "");
    expect(report).toMatchObject({ version: "", errors: ["Cannot connect"] });
    expect(report?.plugins.get("buildx")).toBe("v0.29.1");
  });

  test.each(["", "null", "[]", "not json", '{"ClientInfo": 7}'])("that prints %j is understood as none", (text) =>
    expect(parseEngineReport(text, text)).toBeUndefined(),
  );
});

describe("Compose and buildx", () => {
  test.each([
    ["2.24.4", []],
    ["v2.40.3", []],
    ["5.0.0", []],
    ["2.24.3", ["error D044"]],
    ["", ["error D044"]],
  ])("Compose %j: %j", (version, expected) =>
    expect(found(checkCompose({ kind: "known", value: version }))).toEqual(expected),
  );

  test.each([
    ["there", {}, "2.40.3", []],
    ["missing", { ClientInfo: { Plugins: [] } }, "2.40.3", ["warning D201"]],
    ["missing, with a Compose that has no builder", { ClientInfo: { Plugins: [] } }, "5.0.1", ["error D201"]],
    ["broken", { ClientInfo: { Plugins: [{ Name: "buildx", Err: {} }] } }, "2.40.3", ["warning D201"]],
  ])("buildx that is %s", (_case, info, compose, expected) =>
    expect(found(judgeBuildx(reportOf(info), compose))).toEqual(expected),
  );
});

describe("known holes", () => {
  test("are none in the newest versions", () => expect(found(judgeVersions(reportOf(), "v2.40.3"))).toEqual([]));

  test.each([
    ["Engine", { ServerVersion: "28.0.1" }, undefined, "2.40.3", ["warning D202"]],
    ["runc", {}, [component("runc", "1.1.11")], "2.40.3", ["warning D204"]],
    ["containerd", {}, [component("containerd", "1.7.20")], "2.40.3", ["warning D204"]],
    ["Compose", {}, [], "2.39.0", ["warning D203"]],
    ["a package of Debian", {}, [component("runc", "1.1.5+ds1", "1.1.5+ds1-1+deb12u1")], "2.40.3", ["info D204"]],
    ["a version that is no number", {}, [component("runc", "unknown")], "2.40.3", []],
  ])("of %s are told by severity", (_case, info, components, compose, expected) =>
    expect(found(judgeVersions(reportOf(info, components), compose))).toEqual(expected),
  );

  test("name the CVE, and the version that closes it", () => {
    const { problems } = judgeVersions(reportOf({}, [component("runc", "1.2.4")]), undefined);
    expect(problems[0]?.evidence.join()).toContain("CVE-2025-31133");
    expect(problems[0]?.message).toBe("runc 1.2.4 has known holes, which 1.2.8 closes");
  });

  test("of authorization plugins count only where there is one", () => {
    const plugins = (Authorization: unknown) => ({ ServerVersion: "29.3.0", Plugins: { Authorization } });
    const cves = (info: Record<string, unknown>) =>
      judgeVersions(reportOf(info, []), undefined)
        .problems.flatMap(({ evidence }) => evidence)
        .join();
    expect(cves(plugins(["authz-broker"]))).toContain("CVE-2026-34040");
    expect(cves(plugins(null))).not.toContain("CVE-2026-34040");
  });

  test.each([
    ["1.2.7", false],
    ["1.2.8", true],
    ["1.2.10", true],
    ["1.3.2", false],
    ["1.3.3", true],
    ["1.4.0", true],
    ["2.0.0", true],
    ["1.1.99", false],
  ])("%s has the fix of 1.2.8, 1.3.3 and 1.4.0: %s", (version, expected) =>
    expect(isFixed(version, ["1.2.8", "1.3.3", "1.4.0"])).toBe(expected),
  );

  test.each([
    ["20.10.24+dfsg1", true],
    ["1.1.5+ds1-1+deb12u1", true],
    ["27.5.1-0ubuntu3~24.04.2", true],
    ["2.40.3-3", true],
    ["28.1.1", false],
    ["v1.3.3", false],
  ])("%s is a package of a distribution: %s", (version, expected) => expect(isDistributions(version)).toBe(expected));

  test.each([
    ["20.10.24+dfsg1", "apt-get update && apt-get install --only-upgrade docker.io\n"],
    ["24.0.5-4.fc40", "dnf upgrade --refresh moby-engine\n"],
    ["24.0.5", "update it with the package manager it came from (docker-ce)"],
  ])("of %s are closed by a command of that distribution", (version, command) => {
    const { problems } = judgeVersions(reportOf({ ServerVersion: version }, []), undefined);
    expect(problems[0]?.fix).toContain(command);
  });

  test("have numbers of CVEs, each once", () => {
    const all = floors.flatMap(({ cve }) => cve.split(", "));
    expect(all.filter((cve) => !/^CVE-20\d\d-\d{4,}$/.test(cve))).toEqual([]);
    expect(new Set(all).size).toBe(all.length);
  });
});

describe("this user", () => {
  const socket = { kind: "socket", mode: 0o660, gid: 998 };
  const ann = {
    ...{ user: "ann", uid: 1000, groups: ["ann", "docker"], groupFile: "root:x:0:\ndocker:x:998:ann,bob\n" },
    ...{ socketPath: "/var/run/docker.sock", socket, rootless: false },
  };

  test("is told by what the engine lets it in", () => {
    expect(judgeRights(ann)).toEqual({
      text: "user ann, through group docker (equals root); the engine runs as root",
      problems: [],
    });
    expect(judgeRights({ ...ann, uid: 0, user: "root", rootless: true }).text).toBe(
      "user root; the engine is rootless",
    );
  });

  test("is not alone where the socket is open to everybody", () => {
    const { problems } = judgeRights({ ...ann, socket: { ...socket, mode: 0o666 } });
    expect(problems).toMatchObject([{ code: "D207", evidence: ["/var/run/docker.sock has mode 0666"] }]);
  });

  test("that joined the group after the login has to log in again", () => {
    const { fix, evidence } = rightsEvidence({ ...ann, groups: ["ann"] });
    expect(fix).toBe("newgrp docker\nor log out and in again");
    const engine = { ...ann, groups: ["ann"], groupFile: "engine:x:998:ann\n" };
    expect(rightsEvidence(engine).fix).toBe("newgrp engine\nor log out and in again");
    expect(evidence).toContain("socket /var/run/docker.sock (mode 0660, group docker)");
  });

  test("that is not in the group is told how to join", () => {
    const { fix } = rightsEvidence({ ...ann, user: "eve", groups: ["eve"] });
    expect(fix).toContain("usermod -aG docker eve");
  });
});
