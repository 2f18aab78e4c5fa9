import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { command, output } from "../support/command.ts";
import { asPolicy, sandboxName } from "../support/policy-sandbox.ts";
import { createStack, platformConfigs, repositoryRoot, type TestStack } from "../support/stack.ts";

const dood = join(repositoryRoot, "compose/docker-compose.dood.yaml");

let stack: TestStack;
let made: string[] = [];

afterEach(async () => {
  await stack.dispose();
  await command("docker", ["image", "rm", "--force", ...made]);
  made = [];
});

/** Makes another image under a name: another label makes another id. */
async function makeImage(name: string, from: string, label: string): Promise<string> {
  const dockerfile = `FROM sandbox-deploy/${from}:0.1.0-local\nLABEL sandbox-deploy.test=${label}\n`;
  const built = await command("docker", ["build", "--quiet", "--tag", name, "-"], { input: dockerfile });
  expect(built).toMatchObject({ exitCode: 0 });
  made.push(name);
  return (await output("docker", ["image", "inspect", "--format", "{{.Id}}", name])).trim();
}

/** Creates a sandbox that has what the policy gives, by hand. */
function createSandbox(digit: number, image: string): Promise<string> {
  const words = ["--name", sandboxName(stack.project, digit), `--label=sandbox-deploy.guard=${stack.project}`];
  return output("docker", ["create", ...words, ...asPolicy, image, "sleep", "600"]);
}

it("goes back from local to guarded aio with the guard, its policy and the image of its sandboxes as they were, without a question, and finds a sandbox of another image by that name", async () => {
  const settings = `  overlays: { aio: [${dood}, images.yaml] }\n`;
  stack = await createStack("rbguard", platformConfigs.aio, settings);
  const guard = `sandbox-deploy/guard:${stack.project}`;
  const sandbox = `sandbox-deploy/sandbox:${stack.project}`;
  await stack.write(
    "images.yaml",
    `services:
  gateway: { environment: { SANDBOX_IMAGE: "${sandbox}" } }
  guard: { image: "${guard}", environment: { GUARD_IMAGES: "${sandbox}" } }
  sandbox-image: { image: "${sandbox}" }
x-sandbox-deploy-dood: { builtImages: { sandbox-image: "${sandbox}" } }
`,
  );
  const firstGuard = await makeImage(guard, "guard", "first");
  const firstSandbox = await makeImage(sandbox, "sandbox", "first");
  await stack.deployOk("up", "--yes");
  const policy = await stack.read(".deploy/guard/policy.yaml");
  await createSandbox(1, sandbox);

  await makeImage(guard, "guard", "second");
  await makeImage(sandbox, "sandbox", "second");
  // The name is the policy's; what it leads to by now is not what the guard pinned.
  await createSandbox(2, sandbox);
  const retagged = await stack.deploy("status", "--verify");
  const said = retagged.stderr.split("\n").filter((line) => line.startsWith("error"));
  expect([retagged.exitCode, said.length]).toEqual([1, 1]);
  expect(said[0]).toMatch(
    `D072 ${sandboxName(stack.project, 2)} has more than the guard's policy allows: the container`,
  );
  expect(said[0]).toContain("another image");
  await output("docker", ["rm", "--force", sandboxName(stack.project, 2)]);
  const config = await stack.read("deploy.config.yaml");
  await stack.write("deploy.config.yaml", `${config}sandbox: { docker: { guard: { sandboxes: { alive: 9 } } } }\n`);
  await stack.deployOk("up", "--yes");
  expect(await stack.read(".deploy/guard/policy.yaml")).not.toBe(policy);
  // What the guard before this one let run from the old image lives on, and is no stranger.
  expect(await stack.containers(`name=${sandboxName(stack.project, 1)}`)).toEqual([sandboxName(stack.project, 1)]);
  await stack.deployOk("status", "--verify");
  await output("docker", ["rm", "--force", sandboxName(stack.project, 1)]);
  await stack.write("config.yaml", platformConfigs.local);
  await stack.deployOk("up", "--yes");

  const first = (await readdir(join(stack.folder, ".deploy/history"))).toSorted()[0] ?? "";
  const { stderr } = await stack.deployOk("rollback", first);
  expect(stderr).not.toContain("host-root");
  expect(await stack.read(".deploy/guard/policy.yaml")).toBe(policy);
  expect(await stack.inspect(`${stack.project}-guard-1`)).toMatchObject({ Image: firstGuard });
  const says = ["exec", `${stack.project}-guard-1`, "node", "/app/guard.js", "status", "--json"];
  expect(Object.values(JSON.parse(await output("docker", says)).images.pinned)).toEqual([firstSandbox]);
  const code = { language: "bash", code: "echo $((6*7))", timeoutSeconds: 30 };
  expect(await stack.api("/api/run", code)).toMatchObject({ status: 200, body: { stdout: "42\n" } });
  const status = await stack.deployOk("status", "--verify");
  expect(status.stdout).toContain(`deployment ${first} again`);
  expect(status.stdout).not.toContain("host-root");
  expect((await stack.deployOk("plan")).stdout).toContain(`deployment ${first}, since a rollback`);
});
