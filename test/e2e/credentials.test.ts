import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { command, eventually, output } from "../support/command.ts";
import { createStack, platformConfigs, type TestStack } from "../support/stack.ts";

const base = `services:
  web:
    image: sandbox-deploy/test-busybox:1
    init: true
    command: [sh, -c, "echo hi >/tmp/hello; exec httpd -f -p 8080 -h /tmp"]
    ports: ["127.0.0.1:\${PORT}:8080"]
  other:
    image: sandbox-deploy/test-busybox:1
    init: true
    command: [sleep, "3600"]
`;

const sentinel = "s3ntinel-0f-a-l0gin-4711";

/** A configuration whose only credential is lent in one form, or none. */
const configuration = (project: string, credential: string) => `version: 1
project: ${project}
compose: { images: local, base: stack.yaml, proxy: web }
platform: { service: web }
health: { path: /hello, settleSeconds: 1 }
credentials: { others: [${credential}] }
`;

let stack: TestStack;
afterEach(() => stack.dispose());

async function change(credential: string, ...words: string[]): Promise<Record<string, unknown>[]> {
  await stack.write("deploy.config.yaml", configuration(stack.project, credential));
  const { stdout } = await stack.deployOk("up", "--json", "--yes", ...words);
  return JSON.parse(stdout).dropped;
}

/** Every file that a container can see below the folders of lent credentials, with its bytes. */
async function seen(service: string): Promise<string> {
  const script = 'find /run/cred* -type f 2>/dev/null | sort | while read -r f; do echo "$f: $(cat "$f")"; done';
  return output("docker", ["exec", `${stack.project}-${service}-1`, "sh", "-c", script]);
}

async function environment(service: string): Promise<string[]> {
  const { Config } = await stack.inspect(`${stack.project}-${service}-1`);
  return (Config as { Env: string[] }).Env;
}

async function idOf(service: string): Promise<string> {
  const { Id, State } = await stack.inspect(`${stack.project}-${service}-1`);
  return `${Id} ${(State as { StartedAt: string }).StartedAt}`;
}

it("in each form a container sees exactly what was promised, a refreshed login arrives, and every step down is proven", async () => {
  stack = await createStack("lent", platformConfigs.local);
  await stack.write("stack.yaml", base);
  await stack.write(".env", `PORT=${stack.port}\n`);
  const agent = join(stack.folder, "agent");
  await mkdir(join(agent, "projects/one"), { recursive: true });
  await writeFile(join(agent, "history.jsonl"), "what was said\n");
  const login = join(agent, "auth.json");
  await writeFile(login, '{"token":1}\n', { mode: 0o600 });

  // The whole directory: a question that counts what is in it.
  await stack.write(
    "deploy.config.yaml",
    configuration(stack.project, "{ name: agent, form: directory, path: agent, variable: AGENT_HOME }"),
  );
  const refused = await stack.deploy("up", "--yes");
  expect(refused.exitCode).toBe(3);
  expect(refused.stderr.replace(/\s+/g, " ")).toContain(
    "3 things are in there: auth.json, history.jsonl, projects/ (1 entry)",
  );
  expect(await stack.containers()).toEqual([]);
  await stack.deployOk("up", "--yes", "--accept", "host-files");
  expect(await seen("web")).toBe(
    '/run/credential-directory/agent/auth.json: {"token":1}\n/run/credential-directory/agent/history.jsonl: what was said\n',
  );
  expect(await environment("web")).toContain("AGENT_HOME=/run/credential-directory/agent");

  // One file.
  const droppedDirectory = await change("{ name: agent, form: file, path: agent/auth.json, variable: AGENT_AUTH }");
  expect(droppedDirectory).toContainEqual(
    expect.objectContaining({ service: "web", kind: "credential-directory", detail: "./agent (ro)" }),
  );
  expect(await seen("web")).toBe('/run/credentials/agent/auth.json: {"token":1}\n');
  expect(await seen("other")).toBe("");
  expect(await seen("credential-agent")).toBe(
    '/run/credential-source/auth.json: {"token":1}\n/run/credentials/agent/auth.json: {"token":1}\n',
  );
  const keeper = await stack.inspect(`${stack.project}-credential-agent-1`);
  expect(keeper).toMatchObject({ HostConfig: { NetworkMode: "none", ReadonlyRootfs: true, CapDrop: ["ALL"] } });
  const denied = await command("docker", [
    ...["exec", "--user", "0", `${stack.project}-web-1`],
    ...["sh", "-c", "echo x >/run/credentials/agent/auth.json"],
  ]);
  expect(denied.stderr).toContain("Read-only file system");

  // The login is refreshed: replaced as a whole, then written in place. The service goes on as it was.
  const before = await idOf("web");
  await writeFile(`${login}.new`, '{"token":2}\n', { mode: 0o600 });
  await rename(`${login}.new`, login);
  await eventually(async () => expect(await seen("web")).toContain('{"token":2}'));
  await writeFile(login, '{"token":3}\n');
  await eventually(async () => expect(await seen("web")).toContain('{"token":3}'));
  // As programs do that keep the former one: it goes on under another name.
  await rename(login, `${login}.former`);
  await writeFile(login, '{"token":4}\n', { mode: 0o600 });
  await eventually(async () => expect(await seen("web")).toContain('{"token":4}'));
  expect(await idOf("web")).toBe(before);
  await eventually(async () => expect((await stack.deploy("status")).exitCode).toBe(0));

  // A variable.
  await stack.write(".env", `PORT=${stack.port}\nAGENT_LOGIN=${sentinel}\n`);
  const droppedFile = await change("{ name: agent, form: env, variable: AGENT_LOGIN }");
  expect(droppedFile).toContainEqual(
    expect.objectContaining({ service: "credential-agent", kind: "credential-directory", provenOn: [] }),
  );
  expect(await seen("web")).toBe("");
  expect(await environment("web")).toContain(`AGENT_LOGIN=${sentinel}`);
  expect((await environment("other")).join()).not.toContain(sentinel);
  const shown = await Promise.all(
    ["plan", "config", "status", "history", "diff"].map((each) => stack.deploy(each, "--json")),
  );
  expect(shown.map(({ stdout, stderr }) => stdout + stderr).join()).not.toContain(sentinel);
  expect(JSON.stringify(await stack.inspect(`${stack.project}-web-1`)).split(sentinel)).toHaveLength(2);
  const files = await output("grep", [
    ...["--recursive", "--files-with-matches", sentinel, `${stack.folder}/.deploy`],
    ...["--exclude-dir=history"],
  ]).catch(() => "");
  expect(files).toBe("");

  // What follows from earlier configurations is cleared away.
  expect(await readdir(join(stack.folder, ".deploy/overlays"))).toHaveLength(1);

  // Nothing.
  const droppedVariable = await change("");
  expect(droppedVariable).toContainEqual({
    ...{ service: "web", kind: "credential-variable", detail: "AGENT_LOGIN" },
    provenOn: [`${stack.project}-web-1`],
  });
  expect((await environment("web")).join()).not.toContain("AGENT_LOGIN");
  expect(await seen("web")).toBe("");
});
