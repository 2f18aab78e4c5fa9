import { existsSync } from "node:fs";
import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Checkout, fakeNode, fakeNpm, makeCheckout } from "../support/launcher-checkout.ts";

const install =
  "npm ci --include=dev --prefer-offline --no-audit --no-fund --loglevel=notice --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000";
let checkout: Checkout;

beforeEach(async () => {
  checkout = await makeCheckout();
});

afterEach(async () => {
  await checkout.remove();
});

async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(condition, { timeout: 30_000, interval: 20 }).toBe(true);
}

describe("the Node.js check", () => {
  const how = "install it from https://nodejs.org or your distribution, or name its binary in SANDBOX_DEPLOY_NODE";

  test.each(["v18.20.1", "v20.18.9", "v8.0.0"])("refuses %s in one sentence and starts nothing", async (version) => {
    const { code, stdout, stderr } = await checkout.run(["up"], { env: { FAKE_NODE_VERSION: version } });
    expect({ code, stdout, stderr }).toEqual({
      code: 3,
      stdout: "",
      stderr: `deploy: Node.js 20.19 or newer is needed, found ${version}: ${how}\n`,
    });
    expect(await checkout.log()).toEqual([]);
  });

  test.each(["v20.19.0", "v20.20.2", "v22.0.0", "v100.1.0", "v26.0.0-nightly2026"])("accepts %s", async (version) => {
    expect((await checkout.run(["up"], { env: { FAKE_NODE_VERSION: version } })).code).toBe(0);
  });

  test("says that Node.js is missing and how to get it", async () => {
    await rm(join(checkout.bin, "node"));
    expect(await checkout.run(["up"])).toEqual({
      code: 3,
      stdout: "",
      stderr: `deploy: Node.js 20.19 or newer is needed, but node was not found: ${how}\n`,
    });
  });

  test("says what its machine's script advises, where there is one", async () => {
    await rm(join(checkout.bin, "node"));
    await checkout.write(join(checkout.home, "scripts/node-advice.sh"), "#!/bin/sh\necho buy one\n", 0o755);
    const { code, stderr } = await checkout.run(["up"]);
    expect(code).toBe(3);
    expect(stderr).toBe("deploy: Node.js 20.19 or newer is needed, but node was not found: buy one\n");
  });

  test("tells a Node.js that cannot run from one that is missing", async () => {
    await checkout.write(join(checkout.bin, "node"), "#!/bin/sh\nexit 127\n", 0o755);
    const { code, stderr } = await checkout.run(["up"]);
    expect(code).toBe(3);
    expect(stderr).toBe(`deploy: Node.js 20.19 or newer is needed, but node does not run: ${how}\n`);
  });

  test("uses the binary that SANDBOX_DEPLOY_NODE names, and its folder's npm", async () => {
    const other = join(checkout.root, "other node");
    await checkout.write(join(other, "node"), fakeNode.replace("echo start", "echo other start"), 0o755);
    await checkout.write(join(other, "npm"), fakeNpm.replace("npm $*", "other npm"), 0o755);
    await rm(join(checkout.bin, "node"));
    expect((await checkout.run(["up"], { env: { SANDBOX_DEPLOY_NODE: join(other, "node") } })).code).toBe(0);
    expect(await checkout.log()).toEqual(["other npm", "build", "other start"]);
  });
});

describe("installing and building", () => {
  test("happen on the first use, each announced in one line, and not on the second", async () => {
    const first = await checkout.run(["up"]);
    expect(first.stderr).toBe("deploy: installing packages: first use\ndeploy: building: first use\n");
    expect(await checkout.log()).toEqual([install, "build", "start"]);
    const second = await checkout.run(["up"]);
    expect(second.stderr).toBe("");
    expect(await checkout.log()).toEqual([install, "build", "start", "start"]);
  });

  test.each(["src/main.ts", "src/core/plan/plan.ts", "package.json", "scripts/build.mjs"])(
    "builds again when %s changed and names it",
    async (path) => {
      await checkout.run(["up"]);
      await checkout.touchLater(path);
      const { code, stderr } = await checkout.run(["up"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: `deploy: building: ${path} changed\n` });
      expect(await checkout.log()).toEqual([install, "build", "start", "build", "start"]);
    },
  );

  test("builds again when a source was removed", async () => {
    await checkout.run(["up"]);
    await rm(join(checkout.home, "src/core/plan/plan.ts"));
    await checkout.touchLater("src/core/plan");
    expect((await checkout.run(["up"])).stderr).toBe("deploy: building: src/core/plan changed\n");
  });

  test("installs again when package-lock.json is newer than the installation", async () => {
    await checkout.run(["up"]);
    await checkout.touchLater("package-lock.json");
    const { stderr } = await checkout.run(["up"]);
    expect(stderr).toBe(
      "deploy: installing packages: package-lock.json changed\ndeploy: building: package-lock.json changed\n",
    );
  });

  test("need no package and no source where dist/ came ready-made", async () => {
    await checkout.write(join(checkout.home, "dist/main.js"), "");
    await checkout.write(join(checkout.home, "dist/.built"), "");
    await rm(join(checkout.home, "src"), { recursive: true });
    for (const path of ["package.json", "package-lock.json", "scripts/build.mjs"]) await checkout.touchEarlier(path);
    const { code, stderr } = await checkout.run(["up"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await checkout.log()).toEqual(["start"]);
  });

  test("begin again after a failed installation, whose end is shown with the way out", async () => {
    const failed = await checkout.run(["up"], { env: { FAKE_NPM_FAILS: "E500" } });
    expect(failed.code).toBe(3);
    expect(failed.stderr).toContain("npm error code E500\n");
    expect(failed.stderr).toContain("deploy: npm could not install the packages");
    const { code, stderr } = await checkout.run(["up"]);
    expect(code).toBe(0);
    expect(stderr).toContain("deploy: installing packages: the last installation did not finish\n");
    expect(await checkout.log()).toEqual([install, install, "build", "start"]);
  });

  test.each(["ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT"])("say that the registry is out of reach on %s", async (error) => {
    const { code, stderr } = await checkout.run(["up"], { env: { FAKE_NPM_FAILS: error } });
    expect(code).toBe(3);
    expect(stderr).toContain(
      "deploy: npm could not reach its registry (above): connect this machine, or set npm's proxy or registry",
    );
  });

  test("show the end of a failed build and never start what an older build left", async () => {
    await checkout.run(["up"]);
    await checkout.touchLater("src/main.ts");
    const { code, stdout, stderr } = await checkout.run(["up"], { env: { FAKE_BUILD_FAILS: "1" } });
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain("src/main.ts:3:1: syntax error\ndeploy: the build failed (above)");
    expect((await checkout.run(["up"])).stderr).toBe("deploy: building: src/main.ts changed\n");
  });

  test("begin again after Ctrl-C in the middle of the installation", async () => {
    const interrupted = checkout.start(["up"], { env: { FAKE_NPM_HOLD: join(checkout.root, "never") } });
    await eventually(async () => (await checkout.log()).includes(install));
    process.kill(-interrupted.pid, "SIGINT");
    const { code, stderr } = await interrupted.done;
    expect(code).toBe(130);
    expect(stderr).toContain("deploy: interrupted; the next call begins this again\n");
    expect((await checkout.run(["up"])).code).toBe(0);
    expect(await checkout.log()).toEqual([install, install, "build", "start"]);
  });

  test("mend what a launcher left that was killed while it held the lock", async () => {
    const killed = checkout.start(["up"], { env: { FAKE_NPM_HOLD: join(checkout.root, "never") } });
    await eventually(async () => (await checkout.log()).includes(install));
    process.kill(-killed.pid, "SIGKILL");
    await killed.done;
    expect((await checkout.run(["up"])).code).toBe(0);
    expect(existsSync(join(checkout.home, "dist/.lock"))).toBe(false);
  });

  test("happen once when two launchers start at once, and both then start", async () => {
    const release = join(checkout.root, "release");
    const first = checkout.start(["first"], { env: { FAKE_NPM_HOLD: release } });
    await eventually(async () => (await checkout.log()).includes(install));
    const second = checkout.start(["second"]);
    await eventually(() => second.stderr().includes(`waiting for another deploy (process ${first.pid})`));
    await writeFile(release, "");
    const [one, two] = await Promise.all([first.done, second.done]);
    expect([one.code, two.code]).toEqual([0, 0]);
    expect(await checkout.log()).toEqual([install, "build", "start", "start"]);
  });

  test("are refused, with the owner's name, in a checkout that this user cannot write to", async () => {
    await chmod(checkout.root, 0o755);
    await chmod(checkout.home, 0o555);
    const { code, stderr } = await checkout.run(["up"], { asOther: true });
    await chmod(checkout.home, 0o755);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^deploy: the tool must be built \(first use\), but \S+ cannot write to .*check out: run it once as \w+, or make that folder yours\n$/,
    );
  });

  test("are not needed to start what is ready in a checkout that this user cannot write to", async () => {
    await checkout.run(["up"]);
    await chmod(checkout.root, 0o755);
    await chmod(checkout.home, 0o555);
    const { code, stderr } = await checkout.run(["up"], { asOther: true, env: { FAKE_LOG: "/dev/null" } });
    await chmod(checkout.home, 0o755);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});

describe("handing over", () => {
  test("passes arguments, folder and stdin on untouched", async () => {
    const cwd = join(checkout.root, "else where");
    await mkdir(cwd);
    const { stdout } = await checkout.run(["a b", "", "two\nlines", "*", "$HOME", "--", "-e"], {
      cwd,
      env: { FAKE_READ_STDIN: "1" },
      stdin: "from stdin\n",
    });
    expect(stdout).toBe(
      `cwd=${cwd}\narg=<a b>\narg=<>\narg=<two\nlines>\narg=<*>\narg=<$HOME>\narg=<-->\narg=<-e>\nfrom stdin\n`,
    );
  });

  test.each([
    ["an absolute link", (link: string) => symlink(join(checkout.home, "deploy"), link)],
    ["a relative link", (link: string) => symlink("../check out/deploy", link)],
    [
      "a link to a link",
      async (link: string) => {
        await symlink(join(checkout.home, "deploy"), `${link}.1`);
        await symlink("deploy.1", link);
      },
    ],
  ])("finds its own folder through %s", async (_, make) => {
    const links = join(checkout.root, "links");
    await mkdir(links);
    await make(join(links, "deploy"));
    expect((await checkout.run(["up"], { command: join(links, "deploy") })).code).toBe(0);
    expect(existsSync(join(checkout.home, "dist/.built"))).toBe(true);
  });

  test.each(["./deploy", "../check out/deploy"])("works when it is called as %s", async (command) => {
    const { code, stdout } = await checkout.run([], { command, cwd: checkout.home });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `cwd=${checkout.home}\narg=<>\n` });
  });
});
