import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { command, output } from "../support/command.ts";
import { createStack, images, platformConfigs, type TestStack } from "../support/stack.ts";

const base = "sandbox-deploy/test-busybox:1";

let stack: TestStack;
afterEach(async () => {
  await stack.dispose();
  await command("docker", ["image", "rm", `${stack.project}-app:1`]);
  await rm(stack.folder, { recursive: true, force: true });
});

const ids = async () => (await readdir(join(stack.folder, ".deploy/history"))).toSorted();
const imageId = async (reference: string) =>
  (await output("docker", ["image", "inspect", "--format", "{{.Id}}", reference])).trim();

/** Builds the stack's image anew under its old name; returns the new id. */
async function buildApp(content: string): Promise<string> {
  const image = `${stack.project}-app:1`;
  await output("docker", ["build", "--label", "sandbox-deploy.test", "--tag", image, "-"], {
    input: `FROM ${base}\nRUN echo ${content} > /content\n`,
  });
  return imageId(image);
}

async function hashesOf(...args: string[]): Promise<string[]> {
  const hashes = await output("docker", ["compose", ...args, "config", "--hash", "*"]);
  return hashes.trim().split("\n").toSorted();
}

describe("the history of a stack", () => {
  it("keeps of each deployment the image and a model that would run the same, and lets the oldest go", async () => {
    stack = await createStack(
      "history",
      platformConfigs.localRefusing,
      "  base: stack.yaml\nplatform:\n  service: app\nhistory: { keep: 2 }\n",
    );
    const { project } = stack;
    await stack.write("note.txt", "a file that the service mounts\n");
    await stack.write("password.txt", "first-password-of-the-stack");
    await stack.write(
      "stack.yaml",
      `services:
  app:
    image: ${project}-app:1
    command: [sh, -c, 'echo "$$LEVEL"; exec sleep 600']
    environment: { LEVEL: "\${LEVEL:-low}" }
    stop_grace_period: 1s
    volumes: [./note.txt:/note.txt:ro]
    secrets: [password]
secrets:
  password: { file: password.txt }
`,
    );
    const first = await buildApp("one");
    await stack.deployOk("up", "--yes", "--no-build");
    const [oldest = ""] = await ids();
    const kept = `${project}/app:deploy-${oldest}`;
    expect(await imageId(kept)).toBe(first);

    const second = await buildApp("two");
    await stack.write(".env", `${await stack.read(".env")}LEVEL=high\n`);
    await stack.deployOk("up", "--yes", "--no-build");
    expect(await imageId(kept)).toBe(first);
    const [, newer = ""] = await ids();
    expect(await imageId(`${project}/app:deploy-${newer}`)).toBe(second);
    const of = (id: string) => [
      "--project-name",
      project,
      "--file",
      join(stack.folder, `.deploy/history/${id}/model.json`),
    ];
    const byFiles = ["--project-name", project, "--env-file", join(stack.folder, ".env")];
    expect(await hashesOf(...of(newer))).toEqual(
      await hashesOf(...byFiles, "--file", join(stack.folder, "stack.yaml")),
    );
    expect(await hashesOf(...of(oldest))).not.toEqual(await hashesOf(...of(newer)));

    await stack.deployOk("up", "--yes", "--no-build");
    expect(await ids()).toEqual([oldest, newer]);

    const { stdout: table } = await stack.deployOk("history");
    expect(table).toMatch(new RegExp(`^${newer} .* done, runs now\\n${oldest} .* done$`, "m"));
    expect((await stack.deployOk("diff", oldest)).stdout).toContain(
      `  ~ .env\nconfiguration\n  ~ app  environment.LEVEL\nimages\n  app  ${first.slice(0, 19)} -> ${second.slice(0, 19)}\n`,
    );
    expect((await stack.deployOk("diff")).stdout).toContain("no difference");

    await stack.write("password.txt", "second-password-of-the-stack");
    await stack.write(".env", `${await stack.read(".env")}LEVEL=higher\n`);
    const { stdout: planned } = await stack.deployOk("diff");
    expect(planned).toMatch(/\nconfiguration\n {2}~ app {2}environment\.LEVEL\nsecrets\n {2}~ password\n$/);
    expect(planned).not.toMatch(/higher|second-password/);
    await stack.deployOk("up", "--yes", "--no-build");
    const [left, newest = "", ...more] = await ids();
    expect([left, more]).toEqual([newer, []]);
    expect(await images(`${project}/*`)).toEqual([`${project}/app:deploy-${newer}`, `${project}/app:deploy-${newest}`]);
    expect((await command("docker", ["image", "inspect", first])).exitCode).not.toBe(0);
  });
});
