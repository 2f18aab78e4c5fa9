import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command, eventually, output } from "../../support/command.ts";
import { elements, field, read } from "./observe.ts";
import { send } from "./raw-client.ts";
import type { Named, World } from "./world.ts";

const base = "sandbox-deploy/test-busybox:1";
const docker = (...args: string[]) => output("docker", args).then((text) => text.trim());

/** A world on the real engine; everything in it carries the label `sandbox-deploy.test=<run>`. */
export interface EngineWorld {
  readonly world: World;
  /** Removes what an escape left behind; what it harmed or used up is made again, with new ids. */
  readonly restore: (harmed: boolean) => Promise<World>;
  readonly dispose: () => Promise<void>;
}

/** How the sandbox of our own is made: through the guard, or straight at the engine. */
export type MakeSandbox = (world: World) => Promise<Named>;

/** Makes the world: images, networks, volumes, directories with symlinks, a foreign container with secrets, a sandbox. */
export async function makeWorld(makeSandbox: MakeSandbox): Promise<EngineWorld> {
  const run = randomBytes(3).toString("hex");
  const canary = `canary-${randomBytes(8).toString("hex")}`;
  const folder = await mkdtemp(join(tmpdir(), `escape-${run}-`));
  const door = await openDoor();
  const dispose = async (): Promise<void> => {
    door.close();
    await removeAll(run);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const folders = await makeFolders(folder, canary);
    const apiVersion = (await output("docker", ["version", "--format", "{{.Server.APIVersion}}"])).trim();
    const fixed = { ...door, run, apiVersion, canary, ...folders, ...(await makeShared(run, canary, folder)) };
    let world = await fill(fixed, makeSandbox);
    const restore = async (harmed: boolean): Promise<World> => {
      const rebuild = harmed || !(await isPrepared(world.foreignExec));
      await removeLeftovers(world, rebuild);
      if (rebuild) world = await fill(fixed, makeSandbox);
      return world;
    };
    return { world, restore, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** A port that hears of requests which the engine is made to send. */
async function openDoor(): Promise<Pick<World, "port" | "knocks"> & { readonly close: () => void }> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    socket.on("error", () => undefined).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the listener has no port");
  return { port: address.port, knocks: () => count, close: () => server.close() };
}

type Fixed = Omit<World, "mine" | "foreign" | "foreignExec" | "now">;

/** Makes the allowed root with links out of it, and the directory beside it that holds a canary. */
export async function makeFolders(folder: string, canary: string): Promise<Pick<World, "root" | "outside">> {
  const root = join(folder, "root");
  const outside = join(folder, "outside");
  await mkdir(join(root, "threads/t1"), { recursive: true });
  await mkdir(outside);
  await writeFile(join(outside, "canary"), canary);
  await symlink(outside, join(root, "threads/link"));
  await symlink("../../../outside", join(root, "threads/t1/inner"));
  await symlink("/", join(root, "threads/host"));
  return { root, outside };
}

async function makeShared(run: string, canary: string, folder: string) {
  const label = `sandbox-deploy.test=${run}`;
  const image = { reference: `sandbox-deploy/test-escape-${run}:1`, id: await buildImage(run, "ours", label, "") };
  const secret = `ENV SECRET=${canary}\n`;
  const foreignImage = {
    reference: `sandbox-deploy/test-foreign-${run}:1`,
    id: await buildImage(run, "theirs", label, secret),
  };
  await docker("tag", image.id, image.reference);
  await docker("tag", foreignImage.id, foreignImage.reference);
  const network = await makeNetwork(`escape-${run}-sandboxes`, label);
  const foreignNetwork = await makeNetwork(`escape-${run}-office`, label);
  const foreignVolume = await docker("volume", "create", "--label", label, `escape-${run}-data`);
  const bind = ["type=none", "o=bind", `device=${join(folder, "outside")}`].flatMap((option) => ["--opt", option]);
  const foreignBindVolume = await docker("volume", "create", "--label", label, ...bind, `escape-${run}-host`);
  const names = { escape: `sandbox-${run}-x`, other: `sandbox-${run}-y` };
  return { names, image, foreignImage, network, foreignNetwork, foreignVolume, foreignBindVolume };
}

/** Images differ in their content, so that none has the id of another, and are told apart by what stands in `WHOSE`. */
async function buildImage(run: string, whose: string, label: string, more: string): Promise<string> {
  const dockerfile = `FROM ${base}\nLABEL ${label}\nENV WHOSE=${whose}-${run}\n${more}`;
  const built = await command("docker", ["build", "--quiet", "-"], { input: dockerfile });
  if (built.exitCode !== 0) throw new Error(`the image of ${whose} was not built:\n${built.stderr}`);
  return built.stdout.trim();
}

async function makeNetwork(name: string, label: string): Promise<Named> {
  return { name, id: await docker("network", "create", "--label", label, name) };
}

async function fill(fixed: Fixed, makeSandbox: MakeSandbox): Promise<World> {
  const foreign = await makeForeign(fixed);
  const absent = { name: `sandbox-${fixed.run}-mine`, id: "" };
  const foreignExec = await createExec(foreign.id);
  const now = Math.floor(Date.now() / 1000) + 1;
  const world = { ...fixed, foreign, foreignExec, now, mine: absent };
  return { ...world, mine: await makeSandbox(world) };
}

async function makeForeign({ run, canary, foreignImage, foreignNetwork, foreignVolume }: Fixed): Promise<Named> {
  const name = `escape-${run}-foreign`;
  const script = `echo ${canary}; echo ${canary} >/data/canary; echo ${canary} >/canary; exec sleep 100000`;
  const options = [
    "--network",
    foreignNetwork.name,
    "--volume",
    `${foreignVolume}:/data`,
    "--label",
    `owner=${canary}`,
  ];
  const id = await docker("run", "-d", "--name", name, ...options, foreignImage.reference, "sh", "-c", script);
  await eventually(() => docker("exec", name, "test", "-s", "/canary"));
  return { name, id };
}

async function createExec(container: string): Promise<string> {
  const body = JSON.stringify({ AttachStdout: true, Cmd: ["cat", "/canary"] });
  const url = `http://docker/v1.41/containers/${container}/exec`;
  const headers = ["-H", "Content-Type: application/json"];
  const answer = await output("curl", ["-sf", "--unix-socket", "/var/run/docker.sock", ...headers, "-d", body, url]);
  const { Id } = JSON.parse(answer);
  return String(Id);
}

/** A command can be started once: the engine forgets it, or knows how it ended. */
async function isPrepared(exec: string): Promise<boolean> {
  const inspected = await read(`exec/${exec}/json`);
  return field(inspected, "Running") === false && field(inspected, "ExitCode") === null;
}

/** Removes containers, volumes, networks and images of the run that are not part of the world. */
async function removeLeftovers(world: World, rebuild: boolean): Promise<void> {
  await removeAll(world.run, [
    ...(rebuild ? [] : [world.mine.id, world.foreign.id]),
    ...[world.foreignVolume, world.foreignBindVolume],
    ...[world.network.id, world.foreignNetwork.id],
    ...[world.image.id, world.foreignImage.id],
  ]);
  await emptyShared(world.root);
  for (const { id, reference } of [world.image, world.foreignImage]) await retag(id, reference);
}

/** What stands in the directory that our own sandbox has, but for the link that belongs there. */
async function emptyShared(root: string): Promise<void> {
  const shared = join(root, "threads/t1");
  for (const name of await readdir(shared)) if (name !== "inner") await rm(join(shared, name), { recursive: true });
}

/** Gives an image one name and no other. */
async function retag(id: string, reference: string): Promise<void> {
  const [repo = "", tag = ""] = reference.split(":");
  await expectGone("POST", `images/${id}/tag?repo=${repo}&tag=${tag}`);
  for (const other of elements(field(await read(`images/${id}/json`), "RepoTags")).map(String))
    if (other !== reference) await expectGone("DELETE", `images/${other}`);
}

async function removeAll(run: string, kept: readonly string[] = []): Promise<void> {
  const found = (value: unknown, name: string) => {
    const ours = elements(value).filter((each) => JSON.stringify(each).includes(run));
    return ours.map((each) => String(field(each, name))).filter((each) => !kept.includes(each));
  };
  for (const id of found(await read("containers/json?all=1"), "Id"))
    await expectGone("DELETE", `containers/${id}?force=1&v=1`);
  for (const name of found(field(await read("volumes"), "Volumes"), "Name"))
    await expectGone("DELETE", `volumes/${name}?force=1`);
  for (const id of found(await read("networks"), "Id")) await expectGone("DELETE", `networks/${id}`);
  for (const id of found(await read("images/json"), "Id")) await expectGone("DELETE", `images/${id}?force=1&noprune=1`);
}

/** Whatever went wrong is seen by the next observation; what has gone by itself is not wrong. */
async function expectGone(method: string, path: string): Promise<void> {
  await send("/var/run/docker.sock", { method, target: `/v1.41/${path}` });
}
