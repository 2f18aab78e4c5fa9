import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type JobRun, obeyedLines, runGitlabJob, runJob } from "../support/job-run.ts";
import { readGitlab, readWorkflow } from "../support/workflow.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const template = readWorkflow("templates/ci/github.yaml");
const gitlab = readGitlab("templates/ci/gitlab.yaml");

/** Secrets of two origins: the machine's file, and the pipeline's store. */
const planted = {
  file: "Fi1e$ecret-of-the-machine'92xQ",
  store: "kQ8vTz3mWn5xYb7cRd2fPq6sLh4jKg9e",
};

const configuration = "version: 1\nproject: scripted\n";
const aio = "sandbox:\n  use: deerflow.community.aio_sandbox:AioSandboxProvider\n";
const raw = `${configuration}sandbox: { docker: { access: raw } }\n`;
const accepted = `${raw}accept:\n  - privilege: host-root\n    reason: a machine of its own with nothing else on it\n`;

const temp = () => join(workbench().folder, "../../runner");
const at = (name: string) => join(temp(), name);

beforeEach(async () => {
  const { write, tool } = workbench();
  // The launcher of a checkout, less its look at whether the tool has to be built.
  await write("deploy", `#!/bin/sh\nexec '${process.execPath}' -- '${tool}/dist/main.js' "$@"\n`);
  await write(
    ".env",
    [
      `PORT=${workbench().port}`,
      "GATEWAY_API_KEY=k4ZCOL4ZosAa8q8M5Gr3_zu6AwUh6YOW2cjFE7Dxetk4",
      `STORE_PASSWORD='${planted.file.replaceAll("'", "\\'")}'`,
      "",
    ].join("\n"),
  );
  await chmod(join(workbench().folder, "deploy"), 0o755);
});

function setting(expressions: Readonly<Record<string, string>> = {}) {
  const { folder, environment } = workbench();
  return { folder, temp: temp(), env: environment, expressions };
}

async function run(name: string, expressions: Readonly<Record<string, string>> = {}): Promise<JobRun> {
  const job = template.jobs[name];
  if (job === undefined) throw new Error(`the template has no job ${name}`);
  return runJob(job, template.env ?? {}, setting(expressions));
}

function expectClean(texts: Readonly<Record<string, string>>) {
  for (const [where, text] of Object.entries(texts)) {
    for (const secret of Object.values(planted)) {
      expect({ where, found: text.includes(secret.slice(0, 10)) }).toEqual({ where, found: false });
      expect({ where, found: text.includes(Buffer.from(secret).toString("base64")) }).toEqual({ where, found: false });
    }
  }
}

/** What the runner obeys, by name and without doubles. */
const obeyedNames = (log: string) => [...new Set(obeyedLines(log).map(({ name }) => name))].toSorted();

describe("a pull request", () => {
  it("passes while the stack gains nothing that reaches the host, and its page says what up would do", async () => {
    const { exitCode, outputs, summary } = await run("plan");
    expect(exitCode).toBe(0);
    expect(summary).toContain("### ` deploy plan `: there is something to do (exit 10)");
    expect(outputs["body"]).toBe(summary);
    expect(await workbench().changes()).toEqual([]);
  });

  it("that gains a privilege on the host fails with exit 3 until deploy.config.yaml accepts it with a reason", async () => {
    await workbench().write("config.yaml", aio);
    await workbench().write("deploy.config.yaml", raw);
    const failed = await run("plan");
    expect([failed.exitCode, failed.steps]).toEqual([3, { Plan: 3, "Keep the page for a comment": 0 }]);
    expect(obeyedLines(failed.log).filter(({ name }) => name === "error")).toMatchObject([
      {
        rest: expect.stringMatching(
          /^error D060 .*gateway: runtime-socket.*%0A {2}fix: .*accept: in deploy\.config\.yaml/,
        ),
      },
    ]);
    expect(failed.outputs["body"]).toMatch(/^<!-- sandbox-deploy plan scripted -->\n/);
    expect(failed.outputs["body"]).toContain("|**gained**|` gateway `|` runtime-socket `|");
    expect(failed.outputs["body"]).toContain("#### Not accepted\n\n- ` host-root `: ` gateway: runtime-socket");
    expectClean({ log: failed.log, summary: failed.summary, body: failed.outputs["body"] ?? "" });

    await workbench().write("deploy.config.yaml", accepted);
    const passed = await run("plan");
    expect(passed.exitCode).toBe(0);
    expect(passed.outputs["body"]).toContain("accepted (deploy.config.yaml");
    expect(await workbench().changes()).toEqual([]);
  });

  it("cannot make the runner obey what its files say", async () => {
    const evil = "::add-path::/tmp/evil";
    await workbench().write(
      "deploy.config.yaml",
      `version: 1\nproject: scripted\n"${evil}\\n${evil} ##[add-path]/tmp": 1\n`,
    );
    const { exitCode, log } = await run("plan");
    expect(exitCode).toBe(2);
    expect(obeyedNames(log)).toEqual(["error"]);
    expect(obeyedLines(log)[0]?.rest).toContain("deploy.config.yaml:3:1 error D011");
    expect(log).toContain("::error file=deploy.config.yaml,line=3,col=1,title=D011::");
  });
});

describe("a push to main", () => {
  const expressions = { "secrets.GATEWAY_API_KEY": planted.store };

  it("sets the secret from standard input, deploys, and leaves no secret in log, page or files", async () => {
    workbench().openFrontDoor("local");
    const { exitCode, log, summary, steps } = await run("deploy", expressions);
    expect(`${exitCode}\n${log}`).toMatch(/^0\n/);
    expect(steps).toEqual({ "Set secrets": 0, Deploy: 0, "Look at what runs": 0 });
    expect(await workbench().read(".env")).toContain(planted.store);
    const junit = await readFile(at("deploy.xml"), "utf8");
    expect(junit).toMatch(/<testsuites name="deploy" tests="\d+" failures="0"/);
    expect(summary).toContain("### ` deploy up `: done (exit 0)");
    expect(obeyedNames(log)).toEqual(["endgroup", "group"]);
    const argv = (await workbench().calls()).flat().join("\n");
    expectClean({ log, summary, junit, argv });
  });

  it("that fails says where, goes red, and obeys nothing of what child processes and containers say", async () => {
    const evil = `::add-path::/tmp\n  ::error file=x::y\nsee ##[set-env name=A]b\n::${planted.store}\n${planted.file}\n`;
    await workbench().script({ when: "^compose .*\\bup\\b", exitCode: 1, stderr: evil, stdout: evil });
    const { exitCode, log, summary } = await run("deploy", expressions);
    expect(exitCode).toBe(1);
    expect(obeyedNames(log)).toEqual(["endgroup", "error", "group"]);
    const errors = obeyedLines(log).filter(({ name }) => name === "error");
    expect(errors.every(({ rest }) => / D0\d\d /.test(rest))).toBe(true);
    const junit = await readFile(at("deploy.xml"), "utf8");
    expect(junit).toContain('type="D074"');
    expect(summary).toContain("failed (exit 1)");
    expectClean({ log, summary, junit });
  });

  it("is refused without a question where something is not accepted", async () => {
    await workbench().write("config.yaml", aio);
    await workbench().write("deploy.config.yaml", raw);
    const { steps, summary } = await run("deploy", expressions);
    expect(steps["Deploy"]).toBe(3);
    expect(summary).toContain("#### Not accepted");
    expect(await workbench().changes()).toEqual([]);
  });
});

describe("on GitLab", () => {
  const job = (name: string) => {
    const found = gitlab.jobs[name];
    if (found === undefined) throw new Error(`the template has no job ${name}`);
    return runGitlabJob(found, gitlab.variables, setting());
  };

  it("a merge request that gains a privilege fails until it is accepted, and leaves page, test report and JSON", async () => {
    await workbench().write("config.yaml", aio);
    await workbench().write("deploy.config.yaml", raw);
    const failed = await job("plan");
    expect(failed.exitCode).toBe(3);
    const [page, junit, json] = await Promise.all(["plan.md", "plan.xml", "plan.json"].map(workbench().read));
    expect(page).toContain("refused before any change (exit 3)");
    expect(junit).toContain('<failure message="host-root is not accepted" type="consent">');
    expect(JSON.parse(json ?? "")).toMatchObject({ version: 1, command: "plan", exitCode: 3, plan: { mode: "aio" } });
    expectClean({ log: failed.log, page: page ?? "", junit: junit ?? "", json: json ?? "" });
    await workbench().write("deploy.config.yaml", accepted);
    expect((await job("plan")).exitCode).toBe(0);
  });

  it("a push deploys, folds each task of the log, and takes a secret from a file", async () => {
    workbench().openFrontDoor("local");
    const secretPath = at("secret");
    await mkdir(temp(), { recursive: true });
    await writeFile(secretPath, planted.store);
    const deploy = gitlab.jobs["deploy"];
    if (deploy === undefined) throw new Error("the template has no job deploy");
    const ended = await runGitlabJob(deploy, { ...gitlab.variables, SECRET_GATEWAY_API_KEY: secretPath }, setting());
    expect(`${ended.exitCode}\n${ended.log}`).toMatch(/^0\n/);
    expect(await workbench().read(".env")).toContain(planted.store);
    const marks = [
      ...ended.log.matchAll(/\u001b\[0Ksection_(start|end):\d+:(\w+)(?:\[collapsed=true\])?\r\u001b\[0K/g),
    ];
    expect(marks.length).toBeGreaterThan(4);
    expect(marks.map(([, kind]) => kind)).toEqual(marks.map((_mark, index) => (index % 2 === 0 ? "start" : "end")));
    expectClean({
      log: ended.log,
      page: await workbench().read("deploy.md"),
      junit: await workbench().read("deploy.xml"),
    });
  });
});

it("a report that cannot be written is a warning, and the exit code stays that of the command", async () => {
  const { exitCode, stderr } = await workbench().deploy("plan", "--exit-code", "--junit-file", "no/such/folder/x.xml");
  expect(exitCode).toBe(10);
  expect(stderr).toMatch(/^warning D117 .*no\/such\/folder\/x\.xml cannot be written/m);
});

it("a report that holds nothing of a broken command line is not written, and the finding is an annotation", async () => {
  const env = { GITHUB_ACTIONS: "true" };
  const { exitCode, stderr } = await workbench().deployWith(env, "plan", "--junit-fil", "x.xml");
  expect(exitCode).toBe(2);
  expect(obeyedLines(stderr).map(({ name }) => name)).toEqual(["error"]);
});
