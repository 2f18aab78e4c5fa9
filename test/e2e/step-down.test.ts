import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { command } from "../support/command.ts";
import { createStack, platformConfigs, repositoryRoot, type TestStack } from "../support/stack.ts";

const base = `services:
  web:
    image: sandbox-deploy/test-busybox:1
    init: true
    command: [sh, -c, "echo hi >/tmp/hello; exec httpd -f -p 8080 -h /tmp"]
    ports: ["\${ADDRESS:-127.0.0.1}:\${PORT}:8080"]
`;
const login = `services:
  web:
    volumes: ["./home/.claude:/home/agent/.claude:ro"]
`;
const settings = (overlays: string) =>
  `  base: stack.yaml\n  proxy: web\n  overlays: { always: [${overlays}] }\nplatform: { service: web }\nhealth: { path: /hello, settleSeconds: 1 }\n`;

let stack: TestStack;
afterEach(() => stack.dispose());

it("a login that was lent and a port that was open to all are proven gone, also when another folder deployed them without a trace here", async () => {
  stack = await createStack("stepdown", platformConfigs.local, settings("login.yaml"));
  await stack.write("stack.yaml", base);
  await stack.write("login.yaml", login);
  await mkdir(join(stack.folder, "home/.claude"), { recursive: true });
  await stack.write(".env", `PORT=${stack.port}\nADDRESS=0.0.0.0\n`);
  await stack.deployOk("up", "--yes", "--accept", "host-files");
  const [container = ""] = await stack.containers();
  expect(JSON.stringify(await stack.inspect(container))).toContain(".claude");

  // The same project from another folder, which knows nothing of the first deployment.
  const other = join(stack.folder, "other");
  await mkdir(other);
  await command("cp", ["stack.yaml", "login.yaml", "config.yaml", "deploy.config.yaml", ".env", other], {
    cwd: stack.folder,
  });
  await command("sed", ["-i", "s/login.yaml//", join(other, "deploy.config.yaml")]);
  await command("sed", ["-i", "/ADDRESS/d", join(other, ".env")]);
  const words = ["up", "--yes", "--json", "--accept", "foreign-project"];
  const ended = await command(join(repositoryRoot, "deploy"), words, { cwd: other, env: { CI: "true" } });
  expect(`${ended.exitCode} ${ended.stderr}`).toMatch(/^0 /);
  const { dropped } = JSON.parse(ended.stdout);
  expect(dropped).toContainEqual(expect.objectContaining({ kind: "credential-directory", provenOn: [container] }));
  expect(dropped).toContainEqual(
    expect.objectContaining({ detail: expect.stringContaining("0.0.0.0"), provenOn: [container] }),
  );
  const now = JSON.stringify(await stack.inspect(container));
  expect(now).not.toContain(".claude");
  expect(now).not.toContain("0.0.0.0");
  await rm(other, { recursive: true });
});
