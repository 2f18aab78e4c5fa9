import { createServer } from "node:http";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import type { Rule } from "./support/scripted-docker.ts";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

/** An engine that has neither the stack's images nor their bases, and that goes out through this proxy. */
function bareEngine(proxy: string, registries: Record<string, unknown> = {}): Rule[] {
  const info = { Name: hostname(), HttpsProxy: proxy, NoProxy: "", RegistryConfig: { Mirrors: [], ...registries } };
  return [
    { when: "^image inspect .*sandbox-deploy/gateway:0\\.1\\.0 ", exitCode: 1 },
    { when: "^image inspect .*(node:22|caddy:2|redis:8)", exitCode: 1 },
    { when: "^info --format \\{\\{json \\.\\}\\}", stdout: JSON.stringify(info) },
  ];
}

/** Nothing listens there: port 1 is no program's. */
const noWayOut = "http://127.0.0.1:1";
const outage = "error D161 cannot reach the image registry docker.io (connect ECONNREFUSED 127.0.0.1:1), needed for ";

async function builds(): Promise<boolean> {
  return (await workbench().calls()).some((argv) => argv[0] === "compose" && argv.includes("build"));
}

describe("a registry that cannot be reached", () => {
  it("is D161 before anything is touched, and the flag for images made here is named", async () => {
    await workbench().script(...bareEngine(noWayOut));
    const said = await refused(workbench(), 3, "up");
    expect(said).toContain(`${outage}gateway, proxy, store\n`);
    expect(said).toContain("fix: connect this machine, or run again with --images local");
  });

  it("is a warning beside a plan, which stays one", async () => {
    await workbench().script(...bareEngine(noWayOut));
    const { exitCode, stdout, stderr } = await workbench().deploy("plan", "--exit-code");
    expect(exitCode).toBe(10);
    expect(stdout).toContain("build gateway, proxy, store");
    expect(stderr).toContain(`${outage.replace("error", "warning")}gateway, proxy, store\n`);
  });

  it("stops build in the same way", async () => {
    await workbench().script(...bareEngine(noWayOut));
    expect(await refused(workbench(), 3, "build")).toContain(outage);
  });

  it("stops pull too, although what is pulled is here", async () => {
    await workbench().write("more.yaml", "services:\n  extra:\n    image: extra:1\n");
    await workbench().write(
      "deploy.config.yaml",
      "version: 1\nproject: scripted\ncompose:\n  overlays:\n    always: [more.yaml]\n",
    );
    await workbench().script(...bareEngine(noWayOut));
    expect(await refused(workbench(), 3, "pull")).toContain(`${outage}extra\n`);
    expect(await refused(workbench(), 3, "up")).toContain("or bring the images with docker load");
  });

  it("is made up for by images made here with --yes, which is said, and they stay the choice", async () => {
    await workbench().script(...bareEngine(noWayOut));
    workbench().openFrontDoor("local");
    const { exitCode, stderr } = await workbench().deploy("up", "--yes");
    expect(`${exitCode} ${stderr}`).toMatch(/^0 /);
    expect(stderr).toContain("needed for gateway, proxy, store: the images are made on this machine");
    expect(await workbench().read(".deploy/receipt.json")).toContain('"images": "local"');
  });

  it.each([
    ["where the operator said registry", ["--images", "registry"]],
    ["where nobody said yes", []],
  ])("is a refusal %s", async (_case, flags) => {
    await workbench().script(...bareEngine(noWayOut));
    const yes = flags.length > 0 ? ["--yes"] : [];
    expect(await refused(workbench(), 3, "up", ...yes, ...flags)).toContain(outage);
  });

  it("is made up for by the images of this mode alone, whoever asks", async () => {
    await workbench().script(...bareEngine(noWayOut), {
      when: "^image inspect .*(guard|sandbox):\\S+-local",
      exitCode: 1,
    });
    workbench().openFrontDoor("local");
    const { exitCode, stderr } = await workbench().deploy("up", "--yes");
    expect(`${exitCode} ${stderr}`).toMatch(/^0 /);
  });

  it("leaves a stack that runs as it is, --yes or not", async () => {
    const bench = workbench();
    bench.openFrontDoor("local");
    expect((await bench.deploy("up")).exitCode).toBe(0);
    await bench.remember();
    const before = (await bench.changes()).length;
    await bench.script(...bareEngine(noWayOut));
    const { exitCode, stderr } = await bench.deploy("up", "--build", "--yes");
    expect(`${exitCode} ${stderr}`).toMatch(/^3 /);
    expect(stderr).toContain(outage);
    expect((await bench.changes()).length).toBe(before);
  });
});

describe("a registry is not found missing", () => {
  it("where the engine's proxy opens the way to it", async () => {
    const tunnels: string[] = [];
    const proxy = createServer().on("connect", ({ url = "" }, socket) => {
      tunnels.push(url);
      socket.end("HTTP/1.1 200 OK\r\n\r\n");
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const address = proxy.address();
    if (address === null || typeof address === "string") throw new Error("no port was given");
    await workbench().script(...bareEngine(`http://127.0.0.1:${address.port}`));
    await workbench().deploy("build");
    proxy.close();
    expect(tunnels).toEqual(["registry-1.docker.io:443"]);
    expect(await builds()).toBe(true);
  });

  it("where the engine has a mirror, which only it can ask", async () => {
    await workbench().script(...bareEngine(noWayOut, { Mirrors: ["https://mirror.test"] }));
    await workbench().deploy("build");
    expect(await builds()).toBe(true);
  });

  it("where all images are here: then nobody is asked", async () => {
    workbench().openFrontDoor("local");
    await workbench().script(...bareEngine(noWayOut).slice(2));
    expect((await workbench().deploy("up")).exitCode).toBe(0);
    expect((await workbench().calls()).join("\n")).not.toContain("{{json .}}");
  });
});
