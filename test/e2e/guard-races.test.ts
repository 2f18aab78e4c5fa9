import { mkdir, rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { decide } from "../../src/guard/decision/decide.ts";
import { judgeAgain } from "../../src/guard/decision/judge-again.ts";
import { startGuard } from "../../src/guard/serve/start.ts";
import { create, withJson } from "../guard/escapes/escape.ts";
import { createdId, enginePath, type GuardedWorld, makeGuardedWorld } from "../guard/escapes/guarded-world.ts";
import { containerIds, elements, field, read } from "../guard/escapes/observe.ts";
import { containedBody, policyOf } from "../guard/escapes/policy.ts";
import { type RawAnswer, send } from "../guard/escapes/raw-client.ts";
import { pieces } from "../guard/escapes/raw-requests.ts";
import type { World } from "../guard/escapes/world.ts";
import { openRaw } from "../guard/support/raw-connection.ts";
import { command, output } from "../support/command.ts";

let guarded: GuardedWorld;
let world: World;
let guardPath: string;

beforeAll(async () => {
  guarded = await makeGuardedWorld();
  world = guarded.world;
  guardPath = guarded.socketOf("wide");
});

afterEach(async () => {
  world = await guarded.restore(true);
});

afterAll(() => guarded?.dispose());

const post = (path: string, target: string): Promise<RawAnswer> =>
  send(path, { method: "POST", target: `/v1.41${target}` });

async function start(path: string, id: string): Promise<RawAnswer> {
  return post(path, `/containers/${id}/start`);
}

/** A container under our label that somebody made at the engine, with the guard's own body changed a little. */
async function madeByOthers(name: string, host: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { HostConfig: usual, ...config } = containedBody(world);
  const raw = JSON.stringify({ ...config, HostConfig: { ...Object(usual), ...host } });
  return createdId(enginePath, create(world, { name, raw }));
}

async function isRunning(id: string): Promise<boolean> {
  return field(field(await read(`containers/${id}/json`), "State"), "Running") === true;
}

describe("between create and start", () => {
  test("a directory that becomes a link is not mounted", async () => {
    const directory = join(world.root, "threads/t2");
    await mkdir(directory);
    const parts = { config: { Cmd: ["cat", "/mnt/t2/canary"] }, host: { Binds: [`${directory}:/mnt/t2`] } };
    const id = await createdId(guardPath, create(world, parts));
    await rename(directory, `${directory}x`);
    await symlink(world.outside, directory);

    const refused = await start(guardPath, id);
    expect(refused.status).toBe(403);
    expect(refused.body).toContain("(rule bind.outside-root)");
    expect(await isRunning(id)).toBe(false);

    // The engine itself follows the link.
    await start(enginePath, id);
    await output("docker", ["wait", id]);
    expect(await output("docker", ["logs", id])).toContain(world.canary);
  });

  test("a tag that is moved changes nothing about what runs", async () => {
    const id = await createdId(guardPath, create(world));
    await output("docker", ["tag", world.foreignImage.id, world.image.reference]);
    expect((await start(guardPath, id)).status).toBe(204);
    expect(field(await read(`containers/${id}/json`), "Image")).toBe(world.image.id);
  });

  test("what was made from a moved tag in the moment before is not started", async () => {
    await output("docker", ["tag", world.foreignImage.id, world.image.reference]);
    const id = await madeByOthers(world.names.escape);
    await output("docker", ["tag", world.image.id, world.image.reference]);
    const { status, body } = await start(guardPath, id);
    expect(status).toBe(403);
    expect(body).toContain("(rule image.retagged)");
    expect(await isRunning(id)).toBe(false);
  });
});

describe("after the guard was started", () => {
  test("a moved tag is not what the policy allowed", async () => {
    await output("docker", ["tag", world.foreignImage.id, world.image.reference]);
    const before = await containerIds(world);
    const { status, body } = await send(guardPath, create(world));
    expect(status).toBe(403);
    expect(body).toContain("(rule image.retagged)");
    expect(await containerIds(world)).toEqual(before);
  });

  test.each([
    ["is privileged", { Privileged: true }, "container.unmasked"],
    ["has a directory of the host", { Binds: ["/etc:/mnt/t1"] }, "bind.outside-root"],
    ["shares the host's network", { NetworkMode: "host" }, "host-config.network-mode"],
    ["has more memory", { Memory: 900_000_000, MemorySwap: 900_000_000 }, "container.beyond-policy"],
  ])(
    "a container that somebody made under our label and that %s is neither started nor entered",
    async (_how, host, rule) => {
      const id = await madeByOthers(world.names.escape, host);
      const refused = await start(guardPath, id);
      expect(refused.body).toContain(`(rule ${rule})`);
      expect(await isRunning(id)).toBe(false);
      await start(enginePath, id);
      const entered = await send(guardPath, withJson("POST", `/v1.41/containers/${id}/exec`, { Cmd: ["true"] }));
      expect(entered.body).toContain(`(rule ${rule})`);
      const attached = await post(guardPath, `/containers/${id}/attach?stream=1&stdout=1`);
      expect(attached.body).toContain(`(rule ${rule})`);
    },
  );

  test.each([
    ["with the rights of the host", { Privileged: true }, "exec.privileged"],
    ["for a user that the policy does not allow", { User: "0:0" }, "config.user"],
  ])("a command that somebody prepared in a sandbox %s is not started", async (_how, parts, rule) => {
    const body = { Cmd: ["id"], AttachStdout: true, ...parts };
    const exec = await createdId(enginePath, withJson("POST", `/v1.41/containers/${world.mine.id}/exec`, body));
    const start = withJson("POST", `/v1.41/exec/${exec}/start`, { Detach: false });
    const refused = await send(guardPath, start);
    expect(refused.status).toBe(403);
    expect(refused.body).toContain(`(rule ${rule})`);
    // Not every machine can run a privileged one.
    if (rule === "config.user") expect((await send(enginePath, start)).body).toContain("uid=0");
  });

  test("a sandbox that somebody put into another network is not entered", async () => {
    await output("docker", ["network", "connect", world.foreignNetwork.name, world.mine.name]);
    const target = `/v1.41/containers/${world.mine.id}/exec`;
    const { status, body } = await send(guardPath, withJson("POST", target, { Cmd: ["true"] }));
    expect(status).toBe(403);
    expect(body).toContain("(rule container.network)");
  });
});

test("of creates that come at once no more live than the policy allows", async () => {
  const owner = `few-${world.run}`;
  const socketPath = join(world.root, "../few.sock");
  const guard = await startGuard({
    policy: { ...policyOf(world), owner, sandboxes: { alive: 3, createsPerMinute: 1000 } },
    ...{ policyHash: "test", decide, judge: judgeAgain, listenPath: socketPath, upstreamPath: enginePath },
    ...{ audit: () => undefined, statusPath: undefined, complain: () => undefined },
  });
  const names = Array.from({ length: 20 }, (_, at) => `sandbox-${world.run}-n${at}`);
  const answers = await Promise.all(names.map((name) => send(socketPath, create(world, { name }))));
  await guard.stop();
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
  for (const { status, body } of answers)
    if (status !== 201) expect(`${status} ${body}`).toMatch(/^429 .*\(rule limit\.sandboxes\)/);
  const filters = encodeURIComponent(JSON.stringify({ label: [`sandbox-deploy.guard=${owner}`] }));
  expect(elements(await read(`containers/json?all=1&filters=${filters}`))).toHaveLength(3);
});

describe("what comes behind an upgrade", () => {
  async function prepared(body: Readonly<Record<string, unknown>>): Promise<string> {
    return createdId(guardPath, withJson("POST", `/v1.41/containers/${world.mine.id}/exec`, body));
  }

  function upgrade(exec: string): string {
    const body = JSON.stringify({ Detach: false, Tty: false });
    const head = [
      `POST /v1.41/exec/${exec}/start HTTP/1.1`,
      ...["Host: x", "Connection: Upgrade", "Upgrade: tcp"],
      ...["Content-Type: application/json", `Content-Length: ${body.length}`],
    ];
    return `${head.join("\r\n")}\r\n\r\n${body}`;
  }

  test("that the engine refuses reaches nobody", async () => {
    const exec = await prepared({ Cmd: ["sleep", "1000"] });
    await output("docker", ["pause", world.mine.name]);
    const before = await containerIds(world);
    const raw = await openRaw(guardPath);
    raw.socket.write(upgrade(exec) + pieces(world).evil);
    expect(await raw.closed).toMatch(/^HTTP\/1\.1 409 /);
    raw.socket.destroy();
    expect(await containerIds(world)).toEqual(before);
  });

  test("that the engine takes is the input of the command, and nothing else", async () => {
    const exec = await prepared({ Cmd: ["cat"], AttachStdin: true, AttachStdout: true });
    const before = await containerIds(world);
    const { evil } = pieces(world);
    const raw = await openRaw(guardPath);
    raw.socket.end(upgrade(exec) + evil);
    const said = await raw.closed;
    raw.socket.destroy();
    expect(said).toMatch(/^HTTP\/1\.1 101 /);
    expect(said).toContain(evil);
    expect(await containerIds(world)).toEqual(before);
  });
});

test("a sandbox has no rights of the host, whatever its client asked for", async () => {
  const { stdout: status } = await command("docker", ["exec", world.mine.name, "cat", "/proc/self/status"]);
  for (const line of ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"])
    expect(status).toContain(line);
  const attempts = [
    "mount -t proc p /mnt",
    "echo 1 >/proc/sysrq-trigger",
    "mknod /tmp/d b 254 0",
    "touch /x",
    "chroot / true",
  ];
  for (const attempt of attempts)
    expect(await command("docker", ["exec", world.mine.name, "sh", "-c", attempt])).not.toMatchObject({ exitCode: 0 });
  const limits = await output("docker", ["inspect", "--format", "{{json .HostConfig}}", world.mine.name]);
  expect(JSON.parse(limits)).toMatchObject({ PidsLimit: 64, Memory: 256 * 1024 * 1024 });
});
