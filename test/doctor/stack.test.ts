import { describe, expect, test } from "vitest";
import { judged, problemOf, resultOf, type Verdict } from "../../src/core/doctor/check.ts";
import { doctorText, mendNames, problemsOf, withAccepted } from "../../src/core/doctor/doctor-text.ts";
import { codeNamed, codesNear, explanationOf } from "../../src/core/doctor/explanation.ts";
import { type FileFacts, judgeFiles } from "../../src/core/doctor/file-checks.ts";
import { judgeDeployment, judgeFindings, judgeLeftovers, judgeLocks } from "../../src/core/doctor/stack-checks.ts";
import { copiedWord } from "../../src/core/text/copied-word.ts";
import { container } from "../core/plan/plan-facts.ts";
import { modelOf } from "../support/granted.ts";

const found = ({ problems }: Verdict) =>
  problems.map(({ severity, code, mend }) => [severity, code, ...(mend ? [mend.name] : [])].join(" "));

describe("files", () => {
  const path = { path: "/srv/.deploy", kind: "folder", what: "the folder", mode: 0o700, uid: 1000 } as const;
  const facts: FileFacts = { root: "/srv", uid: 1000, writable: true, paths: [path], folders: [] };

  const folder = { path: "/srv", what: "the project's folder" };

  test.each<[what: string, facts: FileFacts, expected: string[]]>([
    ["closed", facts, []],
    ["not there yet", { ...facts, paths: [] }, []],
    ["readable by others", { ...facts, paths: [{ ...path, mode: 0o750 }] }, ["warning D217 file-modes"]],
    ["writable by all", { ...facts, paths: [{ ...path, mode: 0o777 }] }, ["error D217 file-modes"]],
    ["of root, after one sudo", { ...facts, paths: [{ ...path, uid: 0 }] }, ["warning D217"]],
    [
      "of somebody else and open",
      { ...facts, paths: [{ ...path, uid: 0, mode: 0o755 }] },
      ["warning D217", "warning D217"],
    ],
    ["of the operator, seen by root", { ...facts, uid: 0 }, []],
    ["in a folder that all may change", { ...facts, folders: [{ ...folder, mode: 0o777 }] }, ["error D217 file-modes"]],
    ["in one that all may add to", { ...facts, folders: [{ ...folder, mode: 0o1777 }] }, ["warning D217 file-modes"]],
    ["in one of a group", { ...facts, folders: [{ ...folder, mode: 0o2775 }] }, []],
    ["in a folder that is closed to this user", { ...facts, writable: false }, ["error D049"]],
    ["in a folder of which nobody knows", { ...facts, writable: undefined }, []],
  ])("%s", (_what, given, expected) => expect(found(judgeFiles(given))).toEqual(expected));

  test("get a command to copy", () => {
    const { problems } = judgeFiles({ ...facts, paths: [{ ...path, mode: 0o755 }] });
    expect(problems).toMatchObject([
      { fix: "chmod 0700 .deploy", evidence: [".deploy has mode 0755, 0700 is right"], mend: { mode: "0700" } },
    ]);
  });

  test("get one that a shell reads as it is meant, whatever the folder is called", () => {
    const { problems } = judgeFiles({ ...facts, root: "/srv/Annes $HOME", writable: false, paths: [] });
    expect(problems[0]?.fix).toBe(`sudo chown -R "$(id -un)" '/srv/Annes $HOME'\nor run this as its owner`);
    expect(["/a/b", "~/c d", "it's", "größe", "~"].map(copiedWord)).toEqual([
      ...["/a/b", "~/'c d'", "'it'\\''s'", "'größe'", "~"],
    ]);
  });
});

describe("locks", () => {
  const lock = { where: "/srv/.deploy/lock" };
  test.each([
    ["none", [], []],
    ["of the dead", [{ ...lock, fate: "dead" }], ["warning D223 stale-lock"]],
    ["of a deploy that runs", [{ ...lock, fate: "alive" }], ["warning D063"]],
    ["of nobody knows whom", [{ ...lock, fate: "unknown" }], ["warning D063"]],
  ] as const)("%s", (_what, locks, expected) => expect(found(judgeLocks(locks, 0))).toEqual(expected));
});

describe("leftovers", () => {
  const model = modelOf({ services: { app: { image: "x" }, late: { image: "x" } }, volumes: { data: null } });
  const facts: Parameters<typeof judgeLeftovers>[0] = {
    ...{
      mode: "local",
      model,
      excluded: ["late"],
      containers: [container("app")],
      sandboxes: [],
      volumes: ["demo_data"],
    },
  };

  test.each<[what: string, given: typeof facts, expected: string[]]>([
    ["nothing", facts, []],
    ["a service of another mode", { ...facts, containers: [container("guard")] }, ["warning D222 leftovers"]],
    ["a service that is excluded", { ...facts, containers: [container("late")] }, ["warning D222 leftovers"]],
    ["a sandbox", { ...facts, sandboxes: [container("box")] }, ["warning D222 leftovers"]],
    ["a sandbox of aio mode", { ...facts, mode: "aio", sandboxes: [container("box")] }, []],
    ["a volume, which is only named", { ...facts, volumes: ["demo_data", "demo_old"] }, ["info D222"]],
  ])("%s", (_what, given, expected) => expect(found(judgeLeftovers(given))).toEqual(expected));
});

describe("what runs", () => {
  const well = {
    ...{ receiptProblem: undefined, deployed: "yesterday by ann", running: 2, ailing: [], drift: [], beyond: [] },
  };
  const problem = (code: "D080" | "D072", severity: "warning" | "error") => ({ code, severity, message: "" }) as const;

  test.each([
    ["as deployed", well, []],
    ["nothing, as nothing was deployed", { ...well, deployed: undefined, running: 0 }, []],
    ["a damaged receipt", { ...well, receiptProblem: problem("D080", "warning") }, ["warning D080"]],
    ["an ailing service", { ...well, ailing: ["app: no"] }, ["warning D070"]],
    ["a change by hand", { ...well, drift: [{ container: "a", what: "is paused" }] }, ["warning D224"]],
    ["more than planned", { ...well, beyond: [problem("D072", "error")] }, ["error D072"]],
  ])("%s", (_what, facts, expected) => expect(found(judgeDeployment(facts))).toEqual(expected));
});

describe("the result", () => {
  const finding = { code: "D210", severity: "error", message: "full", fix: "prune", acceptName: "low-disk" } as const;
  const bad = resultOf("disk", { text: "", problems: [{ ...problemOf(finding), evidence: ["df"] }] });
  const stale = { name: "stale-lock", where: "x" } as const;
  const lock = judgeFindings("", [{ code: "D223", severity: "warning", message: "old" }], () => stale);
  const results = [
    resultOf("docker", { text: "Engine 1", problems: [] }),
    resultOf("lock", lock),
    bad,
    judged("cluster", { kind: "unasked", why: "none is used" }, () => ({ text: "", problems: [] })),
    judged("ports", { kind: "late", seconds: 3 }, () => ({ text: "", problems: [] })),
  ];

  test("has a line for each check, then what is wrong with the worst first", () => {
    expect(doctorText(results)).toMatchInlineSnapshot(`
      "ok     docker         Engine 1
      warn   lock           1 warning (D223)
      ERROR  disk           1 error (D210)
      -      cluster        none is used
      warn   ports          1 warning (D200)

      error D210 full
        seen: df
        fix: prune
        meant so: --accept low-disk

      warning D223 old

      warning D200 the check ports did not end within 3 seconds and was given up
        fix: ./deploy doctor --timeout 60
             gives each check so many seconds

      1 error, 2 warnings; ./deploy doctor CODE explains one
      ./deploy doctor --fix offers to mend: stale-lock"
    `);
    expect(doctorText(results.slice(0, 1))).toBe("ok     docker         Engine 1\n\nall is well");
  });

  test("keeps in sight what was accepted by name", () => {
    const [accepted] = problemsOf(withAccepted([bad], ["low-disk"]));
    expect(accepted).toMatchObject({ severity: "warning", message: "accepted (--accept low-disk): full" });
    expect(problemsOf(withAccepted([bad], ["low-memory"]))[0]?.severity).toBe("error");
  });

  test("names what can be mended once", () => {
    expect(mendNames([...problemsOf(results), ...problemsOf(results)])).toEqual(["stale-lock"]);
  });
});

describe("a code", () => {
  const page =
    "<!-- codes -->\n## D046\n\nA. (exit 3)\n\nno\n\n## D047\n\nA port\nis in use. (exit 3)\n\nSee [this](#x).\n\nStop it.\n\n## D048\n\nB.\n<!-- /codes -->\n## D047\n\nnot\n\nthis";

  test("is explained by its section of the page, and by nothing else", () => {
    expect(explanationOf("D047", page)).toBe("See this.\n\nStop it.");
    expect(explanationOf("D048", page)).toBe("");
    expect(explanationOf("D050", "")).toBe("");
  });

  test("is found as it was typed, and others near it", () => {
    expect([codeNamed("d047"), codeNamed("D999"), codeNamed("toString")]).toEqual(["D047", undefined, undefined]);
    expect(codesNear("D049x")).toContain("D047");
    expect(codesNear("help")).toEqual([]);
  });
});
