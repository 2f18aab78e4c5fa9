import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
let server: Server | undefined;
afterEach(() => server?.close());

const aio = "sandbox:\n  use: deerflow.community.aio_sandbox:AioSandboxProvider\n";

describe("a relative sandbox.docker.socket", () => {
  it("starts at the folder of the configuration, also where Compose merges the files", async () => {
    const bench = workbench();
    await mkdir(join(bench.folder, "run"));
    server = createServer().listen(join(bench.folder, "run/docker.sock"));
    await once(server, "listening");
    await bench.write("config.yaml", aio);
    await bench.write(
      "deploy.config.yaml",
      "version: 1\nproject: scripted\nsandbox: { docker: { access: raw, socket: run/docker.sock } }\n",
    );
    const { exitCode, stdout, stderr } = await bench.deploy("plan", "--json");
    expect(`${exitCode} ${stderr}`).toBe("0 ");
    expect(JSON.parse(stdout)["privileges"]).toContainEqual(
      expect.objectContaining({ kind: "runtime-socket", detail: expect.stringMatching(/run\/docker\.sock \(rw\)$/) }),
    );
  });

  it("that leads nowhere is named as the path that was looked at", async () => {
    await workbench().write("config.yaml", aio);
    await workbench().write(
      "deploy.config.yaml",
      "version: 1\nsandbox: { docker: { access: raw, socket: ../no/d.sock } }\n",
    );
    const said = await refused(workbench(), 3, "up", "--accept", "host-root");
    expect(said).toMatch(/error D045 .*, and there is none at \/\S+\/no\/d\.sock\n/);
    expect(said).not.toContain("D048");
  });
});

describe("a relative path in an overlay of one's own", () => {
  const mounting = async (path: string) => {
    await workbench().write("overlays/more.yaml", `services:\n  store:\n    volumes: ['${path}:/extra:ro']\n`);
    return refused(workbench(), 3, "up");
  };
  const given = async () => {
    await mkdir(join(workbench().folder, "overlays/data"), { recursive: true });
    await workbench().write(
      "deploy.config.yaml",
      "version: 1\nproject: scripted\ncompose: { overlays: { always: [overlays/more.yaml] } }\n",
    );
  };

  it("that does not lead to what lies beside the overlay is told with the path to write", async () => {
    await given();
    const said = await mounting("./data");
    expect(said).toContain(`error D048 store mounts ${workbench().tool}/compose/data, which does not exist\n`);
    expect(said).toContain(
      `fix: relative paths of every Compose file start at ${workbench().tool}/compose, the folder of the first one: write ${workbench().folder}/overlays/data in its place\n`,
    );
  });

  it("is found in the configuration's folder as well, with its dots", async () => {
    await given();
    await mkdir(join(workbench().folder, "../beside"));
    const said = await mounting("../beside");
    expect(said).toContain(`: write ${join(workbench().folder, "../beside")} in its place\n`);
  });

  it("that is nowhere is told where it starts, and what a path in one's folder would look like", async () => {
    await given();
    const said = await mounting("./nothing");
    expect(said).toContain(`so for one in your folder write ${workbench().folder}/nothing\n`);
  });

  it("is not spoken of where the path was absolute", async () => {
    await given();
    expect(await mounting("/nowhere/data")).toContain("fix: create it, or correct the path in the Compose file");
  });
});
