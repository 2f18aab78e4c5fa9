// What a program does with dockerode: prints one line for each step, without what differs from run to run.
// usage: node dockerode.mjs IMAGE NAME NETWORK    DOCKER_HOST names the socket
import Docker from "dockerode";

const [image, name, network] = process.argv.slice(2);
const docker = new Docker({ socketPath: process.env.DOCKER_HOST.replace("unix://", "") });

const print = (line) => process.stdout.write(`${line}\n`);

async function step(what, action) {
  try {
    print(`${what}: ${JSON.stringify(await action())}`);
  } catch (error) {
    print(`${what} failed: ${error.statusCode} ${error.message.trim()}`);
  }
}

function read(stream) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", () => resolve(Buffer.concat(chunks).toString("latin1")));
    stream.on("error", reject);
  });
}

const usual = { Image: image, name, HostConfig: { NetworkMode: network, ReadonlyRootfs: true } };
const container = docker.getContainer(name);
const missing = docker.getContainer("nothing-of-that-name");

await step("ping", async () => (await docker.ping()).toString());
await step("version", async () => (await docker.version()).ApiVersion);
await step("create", async () => (await docker.createContainer({ ...usual, Cmd: ["sleep", "1000"] })).id.length);
await step("create twice", () => docker.createContainer({ ...usual, Cmd: ["sleep", "1000"] }).catch(withoutId));
await step("start", async () => (await container.start()).length);
await step("inspect", async () => {
  const { Name, Config, State } = await container.inspect();
  return [Name, Config.Image, State.Status];
});
await step("list", async () => {
  const listed = await docker.listContainers({ all: true, filters: { name: [name] } });
  return listed.map(({ Names, State }) => [Names, State]);
});
await step("exec", async () => {
  const exec = await container.exec({ Cmd: ["sh", "-c", "echo out; exit 4"], AttachStdout: true, AttachStderr: true });
  const output = await read(await exec.start({ hijack: true, stdin: false }));
  return [output, (await exec.inspect()).ExitCode];
});
await step("exec with input", async () => {
  const exec = await container.exec({ Cmd: ["tr", "a-z", "A-Z"], AttachStdin: true, AttachStdout: true });
  const stream = await exec.start({ hijack: true, stdin: true });
  stream.end("shout");
  return read(stream);
});
await step("stop", async () => (await container.stop({ t: 0 })).length);
await step("stop again", () => container.stop({ t: 0 }));
await step("wait", () => container.wait());
await step("remove", async () => (await container.remove({ force: true, v: true })).length);
await step("run", async () => {
  const { PassThrough } = await import("node:stream");
  const out = new PassThrough();
  const output = read(out);
  const options = { name, HostConfig: { ...usual.HostConfig, AutoRemove: true } };
  const [{ StatusCode }] = await docker.run(image, ["sh", "-c", "echo out; exit 5"], out, options);
  out.end();
  return [StatusCode, await output];
});
await step("inspect what is not there", () => missing.inspect());
await step("start what is not there", () => missing.start());
await step("remove what is not there", () => missing.remove({ force: true }));
await step("a command in what is not there", () => missing.exec({ Cmd: ["true"] }));
await step("images", async () => (await docker.getImage(image).inspect()).RepoTags);

function withoutId(error) {
  throw Object.assign(error, { message: error.message.replace(/[0-9a-f]{64}/g, "<id>") });
}
