import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

const configuration = `version: 1
project: scripted
compose: { base: app.yaml, proxy: app }
platform: { service: app }
sandbox: { mode: local }
`;

beforeEach(() => workbench().write("deploy.config.yaml", configuration));

const app = (rest: string) => workbench().write("app.yaml", `services:\n  app:\n    image: demo:1\n${rest}`);
const existing = (name: string, device: string) => ({
  when: "^volume inspect",
  exitCode: 1,
  stdout: JSON.stringify([{ Name: name, Driver: "local", Options: { type: "none", o: "bind", device } }]),
  stderr: "Error: No such volume: scripted_other\n",
});

async function asked(command: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await workbench().deploy(command, ...args);
  expect(`exit ${exitCode}\n${stderr}`).toContain("exit 3\n");
  expect(stdout).toBe("");
  expect(await workbench().changes()).toEqual([]);
  return stderr;
}

describe("the first up asks about what reaches the host through", () => {
  test("an external volume", async () => {
    await app("    volumes: [data:/data]\nvolumes:\n  data: { external: true, name: shared }\n");
    await workbench().script(existing("shared", "/"));
    expect(await asked("up")).toContain("app: runtime-socket / (rw), holds runtime sockets");
    expect(await workbench().calls()).toContainEqual(["volume", "inspect", "shared"]);
  });

  test("a volume of the project that is there already with other options than are declared", async () => {
    await app("    volumes: [data:/data]\nvolumes:\n  data: {}\n");
    await workbench().script(existing("scripted_data", "/etc"));
    expect(await asked("up")).toContain("app: host-bind /etc (rw)");
  });

  test("an external volume whose path is a symlink", async () => {
    await symlink("/var/run", join(workbench().folder, "link"));
    await app("    volumes: [data:/data]\nvolumes:\n  data: { external: true, name: shared }\n");
    await workbench().script(existing("shared", join(workbench().folder, "link/docker.sock")));
    expect(await asked("up")).toContain("app: runtime-socket /var/run/docker.sock (rw)");
  });

  test.each([
    ["a file secret", "    secrets: [s]\nsecrets:\n  s: { file: ./link/docker.sock }\n"],
    ["a file of configs", "    configs: [c]\nconfigs:\n  c: { file: ./link/docker.sock }\n"],
    [
      "the options of a declared volume",
      "    volumes: [data:/v]\nvolumes:\n  data: { driver_opts: { type: none, o: bind, device: ./link/docker.sock } }\n",
    ],
  ])("%s below a symlink", async (_what, rest) => {
    await symlink("/var/run", join(workbench().folder, "link"));
    await app(rest);
    expect(await asked("up")).toContain("app: runtime-socket ");
  });

  test("a privileged build of an image that no service runs", async () => {
    await app(`  image:
    profiles: [build]
    image: image:1
    build: { context: ., privileged: true }
x-sandbox-deploy-own:
  builtImages: { image: image:1 }
`);
    const said = await asked("up");
    expect(said).toContain("image: host-program privileged image build");
    expect(said).toContain("--accept host-root");
  });
});

test("a network that only the engine knows is asked about by its label, and only then", async () => {
  await app("");
  await workbench().deploy("plan");
  expect((await workbench().calls()).filter(([what]) => what === "network")).toEqual([]);
  const inspected = {
    ...{ Id: "id-app", Name: "/scripted-app-1", State: { Status: "running", Running: true }, HostConfig: {} },
    Config: { Labels: { "com.docker.compose.project": "scripted", "com.docker.compose.service": "app" } },
    NetworkSettings: { Networks: { scripted_default: {}, scripted_old: {}, scripted_operators: {} } },
  };
  await workbench().script(
    { when: "^ps", stdout: "id-app\tscripted-app-1\tscripted\tFalse\t\t\n" },
    { when: "^container inspect", stdout: JSON.stringify([inspected]) },
    { when: "^network ls", stdout: "scripted_default\nscripted_old\n" },
  );
  const { stdout } = await workbench().deploy("plan");
  expect(stdout).toContain("remove the network scripted_old\n");
});

test("an external network on the host's own is shown as what it is", async () => {
  await app("    networks: [lan]\nnetworks:\n  lan: { external: true, name: office }\n");
  await workbench().script({ when: "^network inspect office$", stdout: '[{"Name":"office","Driver":"ipvlan"}]' });
  expect((await workbench().deploy("plan")).stdout).toContain("every port, on ipvlan network office");
});

test("what `docker compose run` left behind is neither asked about nor removed", async () => {
  await app("");
  await workbench().script({ when: "^ps", stdout: "id-x\tscripted-app-run-1\tscripted\tTrue\t\t\n" });
  expect((await workbench().deploy("plan")).stdout).not.toContain("remove");
  expect((await workbench().calls()).filter(([what]) => what === "container")).toEqual([]);
});

test("profiles of the environment file start what they start without the tool", async () => {
  await app("  debug:\n    profiles: [debug]\n    image: demo:1\n  other:\n    profiles: [other]\n    image: demo:1\n");
  expect((await workbench().deploy("plan")).stdout).toContain("services  app\n");
  await workbench().write(".env", "COMPOSE_PROFILES=debug\n");
  expect((await workbench().deploy("plan")).stdout).toContain("services  app, debug\n");
});

test("a question that nobody answers refuses a build as it refuses an up", async () => {
  await app("    build: { context: ., network: host }\n");
  const said = await refused(workbench(), 3, "build");
  expect(said).toContain("app: host-namespace network: host, during the image build");
});
