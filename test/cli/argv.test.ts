import { describe, expect, it } from "vitest";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

const project = ["--project-name", "scripted"];
const files = [...project, "--env-file", "<here>/.env", "--file", "<tool>/compose/docker-compose.yaml"];
const services = ["gateway", "proxy", "store"];
const byName = [...project, "--env-file", "/dev/null"];
const plain = ["compose", "--progress", "plain"];
const upCall = [...plain, ...files, "up", "--detach", "--no-build", "--remove-orphans", ...services];
/** Each image that runs gets a tag of its own once all is verified. */
const tagged = services.map((service) => ["image", "tag", "sha256:1", `scripted/${service}:deploy-<id>`]);
const noImages = { when: "^image inspect", exitCode: 1, stderr: "Error: No such image\n" };

async function deployOk(...args: string[]) {
  const ended = await workbench().deploy(...args);
  expect(`${ended.exitCode} ${ended.stderr}`).toMatch(/^0 /);
  return ended;
}

async function upOk(...args: string[]) {
  workbench().openFrontDoor("local");
  const { stdout } = await deployOk("up", ...args);
  expect(stdout).toContain("the stack is up and healthy");
  expect(stdout).toContain(`http://127.0.0.1:${workbench().port}`);
}

/** Calls after those that an earlier command made. */
async function changesOf(run: () => Promise<unknown>): Promise<string[][]> {
  const before = (await workbench().changes()).length;
  await run();
  const changes = (await workbench().changes()).slice(before);
  const named = changes.map((argv) => argv.map((word) => word.replace(/\d{8}-\d{6}-[0-9a-f]{4}$/, "<id>")));
  // Images are tagged at the same time.
  const isTag = ([first, second]: string[]) => first === "image" && second === "tag";
  return [...named.filter((argv) => !isTag(argv)), ...named.filter(isTag).toSorted()];
}

describe("the whole of what docker is told to change", () => {
  it("up starts the planned services from images that are there", async () => {
    expect(await changesOf(() => upOk())).toEqual([upCall, ...tagged]);
  });

  it("up builds what is missing before it starts anything", async () => {
    await workbench().script(noImages);
    expect(await changesOf(() => upOk())).toEqual([
      [...plain, ...files, "--profile", "build", "build", ...services],
      upCall,
      ...tagged,
    ]);
  });

  it("up --build --pull always builds on fresh bases", async () => {
    const [build] = await changesOf(() => upOk("--build", "--pull", "always"));
    expect(build).toEqual([...plain, ...files, "--profile", "build", "build", "--pull", ...services]);
  });

  it("plan and config change nothing, whatever there would be to do", async () => {
    await workbench().script(noImages);
    const { stdout } = await deployOk("plan");
    await deployOk("config");
    expect(stdout).toContain("build");
    expect(await workbench().changes()).toEqual([]);
  });

  it("down removes the project by its name, without any file", async () => {
    await upOk();
    expect(await changesOf(() => deployOk("down"))).toEqual([["compose", ...byName, "down", "--remove-orphans"]]);
  });

  it("down --volumes asks for the volumes only when that was confirmed", async () => {
    await workbench().script({ when: "^volume ls .*compose", stdout: "scripted_store\n", times: 2 });
    await upOk();
    const refused = await changesOf(async () =>
      expect((await workbench().deploy("down", "--volumes")).exitCode).toBe(3),
    );
    expect(refused).toEqual([]);
    expect(await changesOf(() => deployOk("down", "--volumes", "--yes"))).toEqual([
      ["compose", ...byName, "down", "--remove-orphans", "--volumes"],
      ["volume", "rm", "--force", "scripted_store"],
    ]);
  });

  it("restart names the services that were asked for", async () => {
    await upOk();
    expect(await changesOf(() => deployOk("restart", "gateway"))).toEqual([
      ["compose", ...byName, "restart", "gateway"],
    ]);
  });

  it("pull takes what is published and leaves out what is built", async () => {
    await workbench().write("more.yaml", "services:\n  clock:\n    image: example.test/clock:1\n");
    await workbench().write(
      "deploy.config.yaml",
      "version: 1\nproject: scripted\ncompose:\n  overlays:\n    always: [more.yaml]\n",
    );
    expect(await changesOf(() => deployOk("pull"))).toEqual([
      [...plain, ...files, "--file", "<here>/more.yaml", "pull", "--ignore-buildable", "--policy", "always", "clock"],
    ]);
  });

  it("build builds, also with only one service named", async () => {
    expect(await changesOf(() => deployOk("build", "store"))).toEqual([
      [...plain, ...files, "--profile", "build", "build", "store"],
    ]);
  });

  it("logs passes its flags on and asks by the project's name", async () => {
    await upOk();
    await workbench().deploy("logs", "gateway", "--tail", "7", "--no-color");
    expect((await workbench().calls()).at(-1)).toEqual([
      "compose",
      ...byName,
      "logs",
      "--tail",
      "7",
      "--no-color",
      "gateway",
    ]);
  });

  it("another project, configuration and environment file reach every call", async () => {
    await workbench().write("other.yaml", "version: 1\n");
    await workbench().write("other.env", `PORT=${workbench().port}\n`);
    await deployOk("plan", "--config", "other.yaml", "--env-file", "other.env", "--project", "elsewhere");
    const merged = (await workbench().calls()).filter((argv) => argv.includes("config"));
    expect(merged.length).toBeGreaterThan(0);
    for (const argv of merged) {
      expect(argv.slice(0, 5)).toEqual(["compose", "--project-name", "elsewhere", "--env-file", "<here>/other.env"]);
    }
  });
});

it("no argument of any call holds a value of the environment file", async () => {
  const secret = "planted9f3c7d1e5b";
  await workbench().write(".env", `PORT=${workbench().port}\nGATEWAY_API_KEY=${secret}\nSTORE_PASSWORD=${secret}x\n`);
  await upOk("--build");
  await workbench().deploy("status");
  await workbench().deploy("logs");
  await workbench().deploy("down", "--volumes", "--yes");
  const calls = await workbench().calls();
  expect(calls.length).toBeGreaterThan(8);
  expect(JSON.stringify(calls)).not.toContain(secret);
});
