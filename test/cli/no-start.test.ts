import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

describe("build and pull, which start nothing,", () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  it("do not mind a busy port, a missing socket or a source of a mount that is not there", async () => {
    const bench = workbench();
    server = createServer().listen(bench.port, "127.0.0.1");
    await once(server, "listening");
    await bench.write("config.yaml", "sandbox:\n  use: deerflow.community.aio_sandbox:AioSandboxProvider\n");
    await bench.write("more.yaml", "services:\n  store:\n    volumes: ['/nowhere/data:/extra:ro']\n");
    await bench.write(
      "deploy.config.yaml",
      "version: 1\nproject: scripted\nsandbox:\n  docker: { access: raw, socket: /nowhere/docker.sock }\ncompose:\n  overlays: { always: [more.yaml] }\n",
    );
    const said = await refused(bench, 3, "up", "--accept", "host-root");
    for (const code of ["D045", "D047", "D048"]) expect(said).toContain(`error ${code}`);
    for (const command of ["build", "pull"]) {
      const { exitCode, stderr } = await bench.deploy(command);
      expect(`${exitCode} ${stderr}`).toMatch(/^0 /);
    }
    const changes = (await bench.changes()).map((argv) => argv.join(" "));
    expect(changes).toEqual([expect.stringMatching(/ build .*store/)]);
  });
});

describe("restart", () => {
  it("where nothing is deployed is refused with what to do, and restarts nothing", async () => {
    const said = await refused(workbench(), 3, "restart");
    expect(said).toContain("error D068 nothing of scripted is deployed, so there is nothing to restart");
    expect(said).toContain("fix: ./deploy up starts it");
  });
});
