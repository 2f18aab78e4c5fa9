import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { composeEnvironment, modelArgv } from "../../src/core/stack/compose-argv.ts";
import { composePrograms } from "../../src/shell/compose/compose-plugin.ts";
import { seal, sealKeyPath } from "../../src/shell/files/seal.ts";
import { startPrefetch } from "../../src/shell/processes/prefetch.ts";

const stack = {
  ...{ project: "early", files: ["/compose.yaml"], envPath: "/.env", variables: { COLOR: "green" } },
  ...{ containers: [], images: [], volumes: [] },
};

let home: string;
let env: Record<string, string>;
let pluginPath: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "early-"));
  pluginPath = join(home, ".docker/cli-plugins/docker-compose");
  env = { PATH: `${join(home, "bin")}:/usr/bin:/bin`, HOME: home, DOCKER_CONFIG: join(home, ".docker") };
  await script(join(home, "bin/docker"), 'echo "docker: $* $COLOR"');
  await script(pluginPath, 'echo "plugin of $DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: $* $COLOR"');
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function script(path: string, body: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}

/** What the last deployment noted of the programs behind `docker compose`. */
function noted() {
  const { docker, plugin } = composePrograms(home, env);
  return { version: "2.40.3", plugin, named: { docker, path: pluginPath } };
}

async function modelWith(compose: unknown): Promise<string> {
  const keyPath = sealKeyPath(home, env);
  await mkdir(dirname(keyPath), { recursive: true });
  await writeFile(keyPath, "key");
  const receiptPath = join(home, "receipt.json");
  await writeFile(receiptPath, JSON.stringify(seal("key", { stack, compose })));
  const prefetch = startPrefetch(receiptPath, home, env);
  const asked = { program: "docker", args: modelArgv(stack), env: composeEnvironment(stack, env) };
  const result = await prefetch.take(asked);
  prefetch.stop();
  return result?.stdout.trim() ?? "not asked";
}

const ofDocker = /^docker: compose .*config --format json green$/;

test("the plugin that docker named after the last deployment is asked without docker", async () => {
  expect(await modelWith(noted())).toMatch(/^plugin of docker: compose .*config --format json green$/);
});

test.each<[string, () => Promise<void>]>([
  ["docker is another program", () => script(join(home, "bin/docker"), 'echo "docker: $* $COLOR" # newer')],
  [
    "another docker comes first",
    async () => {
      await script(join(home, "first/docker"), 'echo "docker: $* $COLOR"');
      env["PATH"] = `${join(home, "first")}:${env["PATH"]}`;
    },
  ],
  ["the plugin is another one", () => script(pluginPath, "echo newer")],
  ["the plugin is gone", () => rm(pluginPath)],
  [
    "docker was told of more folders",
    () => writeFile(join(home, ".docker/config.json"), '{"cliPluginsExtraDirs":["/x"]}'),
  ],
])("docker is asked when %s", async (_case, change) => {
  const before = noted();
  await change();
  expect(await modelWith(before)).toMatch(ofDocker);
});

test.each<[string, unknown]>([
  ["nothing is known of it", undefined],
  ["docker named none", { version: "2.40.3", plugin: "" }],
])("docker is asked when %s", async (_case, compose) => {
  expect(await modelWith(compose)).toMatch(ofDocker);
});

test("a folder of the PATH that cannot be looked into is passed over", async () => {
  await writeFile(join(home, "file"), "");
  env["PATH"] = `${join(home, "file")}:${join(home, "x".repeat(300))}:${env["PATH"]}`;
  expect(await modelWith(noted())).toMatch(/^plugin of docker: /);
});

test("docker is asked when the file that it named is not among those that it may load", async () => {
  const known = noted();
  expect(await modelWith({ ...known, named: { ...known.named, path: "/bin/sh" } })).toMatch(ofDocker);
});
