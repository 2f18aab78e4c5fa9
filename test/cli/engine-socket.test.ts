import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { containersArgv, imagesArgv, listArgv, ownersArgv, volumesArgv } from "../../src/core/stack/compose-argv.ts";
import { dockerSettings } from "../../src/shell/compose/compose-plugin.ts";
import { askEngine, sameEngineSocket } from "../../src/shell/engine/engine-socket.ts";

let home: string;
let env: Record<string, string>;
let server: Server;
let answers: Record<string, unknown>;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "engine-"));
  env = { PATH: `${join(home, "bin")}:/usr/bin:/bin` };
  await write("bin/docker", '#!/bin/sh\necho "docker was asked: $1 $2"\n');
  await chmod(join(home, "bin/docker"), 0o755);
  answers = {};
  server = createServer(({ url = "" }, response) => {
    const answer = answers[decodeURIComponent(url)];
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(typeof answer === "string" ? answer : JSON.stringify(answer ?? { message: "no such thing" }));
  });
  await new Promise<void>((resolve) => server.listen(socketPath(), resolve));
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(home, { recursive: true, force: true });
});

const socketPath = () => join(home, "engine.sock");
const socket = () => ({ path: socketPath(), api: "1.41", settings: "" });

async function write(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(home, name)), { recursive: true });
  await writeFile(join(home, name), text);
}

function asked(args: string[], signal = new AbortController().signal) {
  return askEngine(socket(), { program: "docker", args, env }, signal);
}

test("containers are listed as docker lists them, without the names that links gave", async () => {
  answers["/v1.41/containers/json?all=1"] = [
    {
      Id: "c1",
      Names: ["/other/alias", "/one"],
      Labels: { "com.docker.compose.project": "p", "com.docker.compose.oneoff": "False" },
    },
    { Id: "c2", Names: ["/two"], Labels: { "sandbox-deploy.project": "p", "sandbox-deploy.role": "sandbox" } },
    { Id: "c3", Names: ["/three"], Labels: null },
  ];
  const { stdout, exitCode } = await asked(listArgv());
  expect([exitCode, stdout]).toEqual([0, "c1\tone\tp\tFalse\t\t\t\nc2\ttwo\t\t\tp\tsandbox\t\nc3\tthree\t\t\t\t\t\n"]);
});

test("containers, volumes and images are answered in full", async () => {
  answers["/v1.41/containers/c1/json"] = { Id: "c1" };
  answers["/v1.41/volumes/data"] = { Name: "data" };
  answers["/v1.41/images/team/app:1/json"] = { Id: "sha256:1", RepoTags: ["team/app:1"], Config: { User: "7 7" } };
  expect(JSON.parse((await asked(containersArgv(["c1"]))).stdout)).toEqual([{ Id: "c1" }]);
  expect(JSON.parse((await asked(volumesArgv(["data"]))).stdout)).toEqual([{ Name: "data" }]);
  expect((await asked(imagesArgv(["team/app:1"]))).stdout).toBe('sha256:1 ["team/app:1"] null {"User":"7 7"}\n');
});

test.each<[string, string[], () => void]>([
  ["one of the things is not there", containersArgv(["c1", "gone"]), () => undefined],
  ["an answer is no JSON", containersArgv(["c1"]), () => (answers["/v1.41/containers/c1/json"] = "{")],
  [
    "an answer breaks off where it could have ended",
    containersArgv(["c1"]),
    () => {
      server.removeAllListeners("request");
      server.on("request", (_request, response) => {
        response.writeHead(200, { "content-length": 100 });
        response.write("{}", () => response.destroy());
      });
    },
  ],
  [
    "an answer comes in chunks",
    containersArgv(["c1"]),
    () => {
      server.removeAllListeners("request");
      server.on("request", (_request, response) => {
        response.socket?.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
      });
    },
  ],
  ["the question is another one", ownersArgv(), () => undefined],
  ["nobody listens at the socket", containersArgv(["c1"]), () => server.close()],
])("docker is asked where %s", async (_case, args, change) => {
  answers["/v1.41/containers/c1/json"] = { Id: "c1" };
  change();
  expect((await asked(args)).stdout).toBe(`docker was asked: ${args[0]} ${args[1]}\n`);
});

test("an engine that does not answer is left when nobody waits any more", async () => {
  const abort = new AbortController();
  server.removeAllListeners("request");
  server.on("request", () => abort.abort());
  expect((await asked(containersArgv(["c1"]), abort.signal)).exitCode).not.toBe(0);
  server.closeAllConnections();
});

function known() {
  return { ...socket(), settings: dockerSettings(home, env) };
}

test("the socket of the last deployment is taken while docker goes by the same settings", async () => {
  await write(".docker/config.json", "{}");
  expect(sameEngineSocket(known(), home, env)).toMatchObject({ path: socketPath(), api: "1.41" });
});

test.each<[string, () => unknown]>([
  ["DOCKER_HOST is set", () => Object.assign(env, { DOCKER_HOST: "tcp://192.0.2.1:2375" })],
  ["another context is chosen", () => Object.assign(env, { DOCKER_CONTEXT: "remote" })],
  ["another version is asked for", () => Object.assign(env, { DOCKER_API_VERSION: "1.30" })],
  ["TLS is switched on", () => Object.assign(env, { DOCKER_TLS_VERIFY: "1" })],
  ["headers are to be sent along", () => Object.assign(env, { DOCKER_CUSTOM_HEADERS: "a=b" })],
  ["docker's settings were changed", () => write(".docker/config.json", '{"currentContext":"remote"}')],
  ["docker's settings lie elsewhere", () => Object.assign(env, { DOCKER_CONFIG: join(home, "other") })],
  ["docker is another program", () => write("bin/docker", "#!/bin/sh\n# a newer one\n")],
  ["there is no docker", () => Object.assign(env, { PATH: "/nowhere" })],
])("the socket of the last deployment is not taken when %s", async (_case, change) => {
  await write(".docker/config.json", "{}");
  const before = known();
  await change();
  expect(sameEngineSocket(before, home, env)).toBeUndefined();
});

test.each([undefined, null, "text", {}, { path: 1, api: "1.41", settings: "" }])(
  "no socket is taken from %j",
  (noted) => {
    expect(sameEngineSocket(noted, home, env)).toBeUndefined();
  },
);
