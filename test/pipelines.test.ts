import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { command } from "./support/command.ts";
import { runJob } from "./support/job-run.ts";
import { readGitlab, readWorkflow, scriptsOf } from "./support/workflow.ts";

const root = join(import.meta.dirname, "..");
const workflows = [
  "templates/ci/github.yaml",
  ...readdirSync(join(root, ".github/workflows")).map((name) => `.github/workflows/${name}`),
];

describe.each(workflows)("%s", (path) => {
  const { jobs, permissions } = readWorkflow(path);

  it("gives no job a right that it does not name, and the right to write to no job that runs code of a pull request", () => {
    expect(permissions).toEqual({});
    for (const { permissions: rights, steps } of Object.values(jobs)) {
      const runsCode = steps.some(({ uses }) => uses !== undefined);
      expect(rights).toEqual(runsCode ? { contents: "read" } : { "pull-requests": "write" });
    }
  });

  it("leaves no token in a checked-out folder", () => {
    const checkouts = Object.values(jobs).flatMap(({ steps }) => steps.filter(({ uses }) => uses !== undefined));
    expect(checkouts.map((each) => each.with?.["persist-credentials"])).toEqual(checkouts.map(() => false));
  });

  it("has a job for every need, and an output for every one that is asked for", () => {
    const text = readFileSync(join(root, path), "utf8");
    for (const { needs } of Object.values(jobs)) if (needs !== undefined) expect(jobs[needs]).toBeDefined();
    for (const [, name = "", output = ""] of text.matchAll(/needs\.(\w+)\.outputs\.(\w+)/g))
      expect(jobs[name]?.outputs?.[output]).toBeDefined();
    for (const { outputs = {}, steps } of Object.values(jobs))
      for (const value of Object.values(outputs)) {
        const id = /^\$\{\{ steps\.(\w+)\.outputs\.\w+ \}\}$/.exec(value)?.[1];
        expect(steps.map((step) => step.id)).toContain(id);
      }
  });

  it("gives no secret to a job of a pull request", () => {
    const holders = Object.entries(jobs).filter(([, job]) => JSON.stringify(job).includes("secrets."));
    for (const [, job] of holders) expect(job.if).toBe("github.event_name == 'push'");
  });
});

describe("the template for GitHub", () => {
  const { jobs } = readWorkflow("templates/ci/github.yaml");

  it("deploys one push at a time, to the end, with the say of an environment, and keeps the machine's own files", () => {
    const { deploy } = jobs;
    expect(deploy?.environment).toBe("production");
    expect(deploy?.concurrency).toEqual({ group: "deploy-production", "cancel-in-progress": false });
    expect(deploy?.steps.find(({ uses }) => uses !== undefined)?.with?.clean).toBe(false);
  });

  it("uses the same steps as the workflow of this repository", () => {
    const own = readWorkflow(".github/workflows/deploy.yaml").jobs["deploy"]?.steps ?? [];
    const shared = jobs["deploy"]?.steps.filter(({ name }) => ["Deploy", "Look at what runs"].includes(name)) ?? [];
    expect(shared.length).toBe(2);
    for (const step of shared) expect(own).toContainEqual(step);
  });
});

describe("the template for GitLab", () => {
  const { jobs, stages } = readGitlab("templates/ci/gitlab.yaml");

  it("has known stages, needs that exist, and deploys one push at a time with the say of an environment", () => {
    for (const { stage, needs = [] } of Object.values(jobs)) {
      expect(stages).toContain(stage);
      expect(needs.filter((name) => jobs[name] === undefined)).toEqual([]);
    }
    expect(jobs["deploy"]?.environment?.name).toBe("production");
    expect(jobs["deploy"]?.resource_group).toBe("production");
    expect(jobs["deploy"]?.variables?.["GIT_CLEAN_FLAGS"]).toBe("none");
  });
});

test.each([
  ["check", ["ci --no-audit --no-fund", "run check"]],
  ["e2e", ["--silent test"]],
])("the job %s of this repository runs what a contributor runs, and is red when that is", async (name, expected) => {
  const folder = mkdtempSync(join(tmpdir(), "pipelines-"));
  try {
    const calls = join(folder, "calls");
    const job = readWorkflow(".github/workflows/check.yaml").jobs[name];
    if (job === undefined) throw new Error(`there is no job ${name}`);
    const runWith = async (exitCode: number) => {
      writeFileSync(calls, "");
      const npm = `#!/bin/sh\necho "$*" >>'${calls}'\necho "CI is $CI"\nexit ${exitCode}\n`;
      writeFileSync(join(folder, "npm"), npm, { mode: 0o755 });
      const env = { ...process.env, PATH: `${folder}:${process.env["PATH"]}`, CI: undefined };
      const ended = await runJob(job, {}, { folder: root, temp: folder, env, expressions: {} });
      return { ...ended, calls: readFileSync(calls, "utf8").trimEnd().split("\n") };
    };
    const good = await runWith(0);
    expect([good.exitCode, good.calls]).toEqual([0, expected]);
    expect(good.log).toContain("CI is true");
    const bad = await runWith(7);
    expect([bad.exitCode, bad.calls]).toEqual([7, expected.slice(0, 1)]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("every script of every pipeline is one that shellcheck has nothing to say of", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pipelines-"));
  try {
    const paths = [...workflows, "templates/ci/gitlab.yaml"].flatMap((path, file) =>
      scriptsOf(path).map((script, index) => {
        const scriptPath = join(folder, `${file}-${index}.sh`);
        writeFileSync(scriptPath, `${script}\n`);
        return scriptPath;
      }),
    );
    expect(paths.length).toBeGreaterThan(12);
    const { stdout } = await command("shellcheck", ["--shell=bash", ...paths]);
    expect(stdout).toBe("");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
