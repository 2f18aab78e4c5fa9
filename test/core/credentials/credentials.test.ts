import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../../src/core/config/config.ts";
import { credentialsOf, type Lent, type PathFact } from "../../../src/core/credentials/credential.ts";
import { credentialFindings } from "../../../src/core/credentials/credential-findings.ts";
import { credentialOverlay, overlayText } from "../../../src/core/credentials/credential-overlay.ts";
import { contentsOf, exposuresOf } from "../../../src/core/credentials/exposure.ts";
import { planText, samePlan } from "../../../src/core/plan/plan-text.ts";
import { granted, host, modelOf } from "../../support/granted.ts";
import { configOf, ordinary, planFor } from "../plan/plan-facts.ts";

const common = { name: "claude", service: "gateway", place: ["credentials", "claude"] };
const privateFile: PathFact = { kind: "file", mode: 0o600, uid: 1000, gid: 1000, size: 10 };
const privateFolder: PathFact = { ...privateFile, kind: "directory", mode: 0o700 };
const path = "/home/alice/.claude/.credentials.json";
const asVariable = (chosen: Extract<Lent, { form: "env" }>["chosen"], hidden?: string): Lent => ({
  ...{ ...common, form: "env", pathVariables: [], variables: ["TOKEN", "KEY"] },
  ...(chosen ? { chosen } : {}),
  ...(hidden ? { hidden } : {}),
});
const asFile = (fact: PathFact | undefined): Lent => ({
  ...{ ...common, form: "file", path, fact, pathVariables: ["CLAUDE_CODE_CREDENTIALS_PATH"] },
});
const asDirectory = (fact: PathFact | undefined): Lent => ({
  ...{ ...common, form: "directory", path: "/home/alice/.claude", fact, pathVariables: ["CLAUDE_CONFIG_DIR"] },
  entries: [{ name: "history.jsonl" }, { name: "projects", entries: 3 }],
});
const token = { variable: "TOKEN", origin: "env-file" } as const;
const ground = { toolRoot: "/opt/tool", isDefaultStack: true };

describe("the configuration", () => {
  const found = (text: string) =>
    parseConfig({ file: "c.yaml", text: `version: 1\ncredentials:\n  ${text}\n` }).findings.map(
      ({ code, message }) => `${code} ${message}`,
    );

  test("lends nothing unless it says so", () => {
    expect(credentialsOf(configOf())).toEqual([]);
  });

  test("knows where the two programs keep their logins, and takes others by name", () => {
    const others = [
      { name: "gemini", form: "file", path: "~/.gemini/oauth.json", variable: "GEMINI_AUTH", service: "worker" },
      { name: "token", form: "env", variable: "MY_TOKEN" },
    ];
    expect(credentialsOf(configOf({ credentials: { claude: "file", codex: "directory", others } }))).toMatchObject([
      { name: "claude", form: "file", service: "gateway", path: "~/.claude/.credentials.json" },
      { name: "codex", form: "directory", path: "~/.codex", pathVariables: ["CODEX_HOME"] },
      { name: "gemini", service: "worker", pathVariables: ["GEMINI_AUTH"], variables: [] },
      { name: "token", variables: ["MY_TOKEN"], pathVariables: [] },
    ]);
  });

  test.each([
    ["claude: yes", "D012 credentials.claude must be one of none, env, file, directory"],
    [
      "others: [{ name: claude, form: env, variable: A }]",
      "D012 credentials.others[0].name: claude and codex have keys of their own",
    ],
    [
      "others: [{ name: a, form: env }]",
      "D012 credentials.others[0].variable: env needs the variable that is passed on",
    ],
    ["others: [{ name: a, form: file }]", "D012 credentials.others[0].path: file needs the path of what is lent"],
    [
      "others: [{ name: a, form: env, variable: A, path: b }]",
      "D012 credentials.others[0].path: env lends a variable and no path",
    ],
    [
      "others: [{ name: a, form: env, variable: A }, { name: a, form: env, variable: B }]",
      "D012 credentials.others[1].name: there is another login of this name",
    ],
    ["others: [{ name: a, form: file, path: a/..}]", "D012 credentials.others[0].path: it ends in a name that is none"],
  ])("refuses %s", (text, expected) => {
    expect(found(text)).toEqual([expected]);
  });
});

describe("the overlay", () => {
  const overlay = (...lent: Lent[]) => parse(overlayText(credentialOverlay(lent, ground)));

  test("passes a variable on by its name alone", () => {
    expect(overlay(asVariable(token))).toEqual({
      services: {
        gateway: { environment: { TOKEN: null }, labels: { "sandbox-deploy.credential-variables": "TOKEN" } },
      },
    });
  });

  test("gives the service memory, and the file to one that has nothing else", () => {
    const { services, volumes } = overlay(asFile(privateFile));
    expect(services.gateway).toEqual({
      depends_on: { "credential-claude": { condition: "service_healthy" } },
      environment: { CLAUDE_CODE_CREDENTIALS_PATH: "/run/credentials/claude/.credentials.json" },
      volumes: [
        {
          ...{ type: "volume", source: "credential-claude", target: "/run/credentials/claude" },
          ...{ read_only: true, volume: { nocopy: true } },
        },
      ],
    });
    expect(services["credential-claude"]).toMatchObject({
      ...{ user: "1000:1000", network_mode: "none", read_only: true, cap_drop: ["ALL"] },
      volumes: [
        { type: "bind", source: path, target: "/run/credential-source/.credentials.json", read_only: true },
        { type: "volume" },
      ],
    });
    expect(volumes["credential-claude"].driver_opts.type).toBe("tmpfs");
  });

  test("mounts a directory read-only and never makes one", () => {
    expect(overlay(asDirectory(privateFolder)).services).toEqual({
      gateway: {
        user: "${CLI_AUTH_USER:-10002:10002}",
        environment: { CLAUDE_CONFIG_DIR: "/run/credential-directory/claude" },
        volumes: [
          {
            ...{ type: "bind", source: "/home/alice/.claude", target: "/run/credential-directory/claude" },
            ...{ read_only: true, bind: { create_host_path: false } },
          },
        ],
      },
    });
  });

  test("keeps a dollar sign of a path from Compose", () => {
    const odd: Lent = { ...common, form: "file", path: "/srv/a$b/c$d", fact: privateFile, pathVariables: ["WHERE"] };
    const text = overlayText(credentialOverlay([odd], ground));
    expect(text).toContain("source: /srv/a$$b/c$$d");
    expect(text).toContain("WHERE: /run/credentials/claude/c$$d");
    expect(text.replaceAll("$$", "").replaceAll("${GUARD_IMAGE", "")).not.toContain("$");
  });
});

describe("what is refused, on the merged model", () => {
  const stack = { excluded: ["old"] };
  const told = (lent: Lent, services: Record<string, unknown> = {}) =>
    credentialFindings({
      ...{ lent: [lent], context: host, positionOf: () => ({ file: "c.yaml" }) },
      model: modelOf({ services: { gateway: { image: "a" }, ...services } }),
      stack,
    }).map(({ code, severity, message }) => `${code} ${severity} ${message}`);
  const binding = (source: string) => ({
    image: "a",
    volumes: [{ type: "bind", source, target: "/x", read_only: true }],
  });

  test.each<[situation: string, lent: Lent, expected: RegExp | undefined]>([
    ["a token that is there", asVariable(token), undefined],
    ["no token", asVariable(undefined), /^D140 error .* none of TOKEN, KEY has a value$/],
    ["an empty export", asVariable(undefined, "KEY"), /^D140 error .* KEY, which is exported in this shell and empty/],
    ["a private file", asFile(privateFile), undefined],
    ["no file", asFile(undefined), /^D140 error .*\.claude\/\.credentials\.json, which does not exist$/],
    ["a folder for a file", asFile(privateFolder), /^D140 error .* which is a directory$/],
    ["a socket for a file", asFile({ ...privateFile, kind: "socket" }), /^D140 error .* which is no regular file$/],
    [
      "a file that is no login",
      asFile({ ...privateFile, size: 1_000_000 }),
      /^D140 error .* too large for one: 1000000 bytes$/,
    ],
    ["an empty file", asFile({ ...privateFile, size: 0 }), /^D140 error .* which is empty$/],
    ["a file that all may read", asFile({ ...privateFile, mode: 0o644 }), /^D141 warning .* may read .*\(mode 0644\)$/],
    [
      "a file that all may change",
      asFile({ ...privateFile, mode: 0o666 }),
      /^D141 error .* may change .*\(mode 0666\)$/,
    ],
    ["no directory", asDirectory(undefined), /^D140 error .* which does not exist$/],
    ["a file for a directory", asDirectory(privateFile), /^D140 error .* which is none$/],
    ["a directory that others may change", asDirectory({ ...privateFolder, mode: 0o777 }), /^D141 error/],
  ])("%s", (_situation, lent, expected) => {
    const found = told(lent);
    if (expected === undefined) expect(found).toEqual([]);
    else expect(found).toEqual([expect.stringMatching(expected)]);
  });

  test("a directory is for who may enter it", () => {
    const as = (user: string) => told(asDirectory(privateFolder), { gateway: { image: "a", user } });
    expect(as("10002:10002")).toEqual([expect.stringMatching(/^D143 error gateway runs as user 10002:10002/)]);
    expect(as("1000:1000")).toEqual([]);
  });

  test("a variable that another service gets too, by its name or by its value", () => {
    const gateway = { image: "a", environment: { TOKEN: "a-value-of-some-length" } };
    const others = (environment: Record<string, string>) =>
      told(asVariable(token), {
        gateway,
        web: { image: "a", environment },
        old: { image: "a", environment: { TOKEN: "x" } },
      });
    expect(others({})).toEqual([]);
    expect(others({ TOKEN: "" })).toEqual([]);
    expect(others({ TOKEN: "another" })).toEqual([expect.stringMatching(/^D142 error .* gateway alone, and web/)]);
    expect(others({ URL: "x://a-value-of-some-length@y" })).toHaveLength(1);
    expect(others({ TOKEN: "another" }).join()).not.toContain("a-value");
  });

  test.each([
    ["/home/alice/.claude", 1],
    ["/home/alice", 1],
    ["/", 1],
    [path, 1],
    ["/home/alice/.codex", 0],
    ["/home/alice/.claude/other", 0],
  ])("a file that is in %s as well, which another service mounts", (source, count) => {
    expect(told(asFile(privateFile), { web: binding(source) })).toHaveLength(count);
    expect(told(asFile(privateFile), { old: binding(source) })).toEqual([]);
  });

  test("the keeper's own mount is none of them", () => {
    expect(told(asFile(privateFile), { "credential-claude": binding(path) })).toEqual([]);
    expect(told(asDirectory(privateFolder), { gateway: binding("/home/alice/.claude") })).toEqual([]);
    expect(told(asDirectory(privateFolder), { gateway: binding("/home/alice") })).toHaveLength(1);
  });
});

describe("the exposure in words", () => {
  test("names what the service sees, and whether model-written code is in reach", () => {
    const lent = [asVariable(token), asFile(privateFile), asDirectory(privateFolder)];
    const words = (mode: "local" | "aio") => exposuresOf(lent, "/home/alice", mode, "gateway");
    expect(words("local").map(({ form, exposure, contents }) => [form, exposure, contents])).toMatchInlineSnapshot(`
      [
        [
          "env",
          "gateway alone gets TOKEN of the environment file; nothing is mounted, and who may inspect containers sees it",
          undefined,
        ],
        [
          "file",
          "gateway can read /run/credentials/claude/.credentials.json, a copy in memory of ~/.claude/.credentials.json; credential-claude mounts that one file read-only and keeps the copy fresh",
          undefined,
        ],
        [
          "directory",
          "gateway can read all of ~/.claude",
          "2 things are in there: history.jsonl, projects/ (3 entries)",
        ],
      ]
    `);
    expect(words("local").map(({ inReachOfCode }) => inReachOfCode)).toEqual([true, true, true]);
    expect(words("aio").map(({ inReachOfCode }) => inReachOfCode)).toEqual([false, false, false]);
  });

  test("counts what is in a directory, and shows eight names", () => {
    const many = Array.from({ length: 10 }, (_, index) => ({ name: `n${index}`, entries: index }));
    expect(contentsOf(many)).toBe(
      "10 things are in there: n0/ (0 entries), n1/ (1 entry), n2/ (2 entries), n3/ (3 entries), n4/ (4 entries), n5/ (5 entries), n6/ (6 entries), n7/ (7 entries) and 2 more",
    );
    expect(contentsOf([{ name: "a\nb" }])).toBe("1 thing is in there: a\\x0ab");
    expect(contentsOf([])).toBe("it is empty");
  });

  test("is a part of the plan, and what a program leaves in its directory makes it no other plan", () => {
    const plan = (lent: Lent) => planFor({ services: ordinary, stack: { lent: [lent] } });
    const [now, later] = [asDirectory(privateFolder), { ...asDirectory(privateFolder), entries: [{ name: "new" }] }];
    expect(planText(plan(now))).toContain(
      "credentials that are lent\n  claude  directory  gateway can read all of ~/.claude;",
    );
    expect(planText(plan(now))).not.toBe(planText(plan(later)));
    expect(samePlan(plan(now), plan(later))).toBe(true);
    expect(samePlan(plan(now), plan(asFile(privateFile)))).toBe(false);
  });
});

describe("what it counts as", () => {
  test("a login in a variable is a privilege, by its label or because everybody knows the name", () => {
    const label = { "sandbox-deploy.credential-variables": "TOKEN,UNSET" };
    expect(granted({ environment: { TOKEN: "x", UNSET: "", OTHER: "y" }, labels: label })).toEqual([
      "credential-variable | TOKEN",
    ]);
    expect(granted({ environment: { CLAUDE_CODE_OAUTH_TOKEN: "x" } })).toEqual([
      "credential-variable | CLAUDE_CODE_OAUTH_TOKEN",
    ]);
    expect(granted({ environment: { TOKEN: "x" } })).toEqual([]);
  });

  test("any directory that is lent takes consent, a file none", () => {
    const mounted = (target: string) =>
      granted({ volumes: [{ type: "bind", source: "/srv/login", target, read_only: true }] });
    expect(mounted("/run/credential-directory/a")).toEqual(["credential-directory | /srv/login (ro) | host-files"]);
    expect(mounted("/run/credential-source/a")).toEqual(["credential-directory | /srv/login (ro)"]);
    expect(mounted("/x")).toEqual(["host-bind | /srv/login (ro)"]);
  });
});
