import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { type JobRun, obeyedLines, runJob } from "../support/job-run.ts";
import { createStack, platformConfigs, repositoryRoot, type TestStack } from "../support/stack.ts";
import { readWorkflow } from "../support/workflow.ts";

let stack: TestStack;
afterEach(() => stack.dispose());

async function run(path: string, expressions: Readonly<Record<string, string>> = {}): Promise<JobRun> {
  const { jobs, env } = readWorkflow(path);
  const deploy = jobs["deploy"];
  if (deploy === undefined) throw new Error(`${path} has no job deploy`);
  const { folder, project } = stack;
  const given = { ...env, DEPLOY: join(repositoryRoot, "deploy"), PROJECT: project };
  return runJob(deploy, given, { folder, temp: join(folder, "runner"), env: process.env, expressions });
}

it("the workflow of this repository really deploys the default stack, finds nothing left to do, and takes it down", async () => {
  stack = await createStack("workflow", platformConfigs.local);
  const { exitCode, log, summary, steps } = await run(".github/workflows/deploy.yaml");
  expect(`${exitCode}\n${log}`).toMatch(/^0\n/);
  expect(Object.values(steps)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(await stack.containers()).toEqual([]);
  expect(summary).toMatch(/### ` deploy plan `: there is something to do[\s\S]*### ` deploy plan `: nothing to do/);
  const secrets = [...(await stack.read(".env")).matchAll(/^(?:GATEWAY_API_KEY|STORE_PASSWORD)=(.+)$/gm)];
  expect(secrets.length).toBe(2);
  const junit = await readFile(join(stack.folder, "runner/deploy.xml"), "utf8");
  for (const [, secret = ""] of secrets) for (const text of [log, summary, junit]) expect(text).not.toContain(secret);
});

const page = (word: string, check: string) => `services:
  web:
    image: sandbox-deploy/test-busybox:1
    init: true
    command: ["sh", "-c", "mkdir -p /tmp/www; echo ${word} >/tmp/www/index.html; echo ::add-path::/tmp/evil; exec httpd -f -p 8080 -h /tmp/www"]
    ports: ["127.0.0.1:\${PORT}:8080"]
    healthcheck: { test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/${check}"], interval: 1s, timeout: 2s, retries: 2 }
`;

it("a push that breaks the stack turns the template's job red, and what ran before answers again", async () => {
  const settings =
    "  base: stack.yaml\n  proxy: web\nplatform: { service: web }\nhealth: { path: /, settleSeconds: 1, waitSeconds: 60 }\n";
  stack = await createStack("push", platformConfigs.local, settings);
  const push = () => run("templates/ci/github.yaml", { "secrets.GATEWAY_API_KEY": "" });
  await stack.write("stack.yaml", page("good", "index.html"));
  const good = await push();
  expect(`${good.exitCode}\n${good.log}`).toMatch(/^0\n/);

  await stack.write("stack.yaml", page("bad", "missing.html"));
  const bad = await push();
  expect(await (await fetch(stack.url)).text()).toBe("good\n");
  expect(bad.exitCode).toBe(1);
  expect(bad.steps).toEqual({ "Set secrets": 0, Deploy: 1, "Look at what runs": 0 });
  const obeyed = obeyedLines(bad.log);
  expect([...new Set(obeyed.map(({ name }) => name))].toSorted()).toEqual(["endgroup", "error", "group", "warning"]);
  expect(obeyed.filter(({ name }) => name === "warning").map(({ rest }) => rest)).toContainEqual(
    expect.stringMatching(/^warning D098 .*is back and healthy/),
  );
  expect(bad.summary).toContain("### ` deploy up `: failed (exit 1)");
});
