import { describe, expect, it, test } from "vitest";
import { eventually } from "../support/command.ts";
import { containersThere, serviceLabels } from "./support/engine-rules.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const gaveUp = "dependency failed to start: container scripted-store-1 is unhealthy\n";
const unhealthy = (FailingStreak: number) => ({
  Status: "unhealthy",
  FailingStreak,
  Log: [{ ExitCode: 1, Output: "no answer", End: "" }],
});

async function ups() {
  return (await workbench().changes()).filter((argv) => argv.includes("up"));
}

describe("building and pulling", () => {
  test.each(["build", "pull"])("a failed %s is a failure, also where its output speaks of health", async (command) => {
    await workbench().write(
      "more.yaml",
      "services:\n  extra:\n    image: example.test/extra:1\n    build: .\n  other:\n    image: example.test/other:1\n",
    );
    await workbench().write(
      "deploy.config.yaml",
      "version: 1\nproject: scripted\ncompose:\n  overlays:\n    always: [more.yaml]\n",
    );
    const stderr = "check: the mirror is unhealthy\ndependency failed to start: container x is unhealthy\n";
    await workbench().script({ when: `^compose --progress plain .* ${command}( |$)`, exitCode: 1, stderr });
    const ended = await workbench().deploy(command);
    expect(`${ended.exitCode} ${ended.stdout}`).toBe("1 ");
    expect(ended.stderr).toContain("error D074 docker compose failed (exit 1)");
  });
});

describe("a dependency that is unhealthy early", () => {
  it("and recovers does not leave its dependents behind: Compose is told again", async () => {
    const bench = workbench();
    await bench.health("store", unhealthy(3));
    await bench.script({ when: "^compose .* up ", times: 1, exitCode: 1, stderr: gaveUp, starts: true });
    const ending = bench.deploy("up");
    await eventually(async () => expect(await ups()).toHaveLength(1));
    await bench.health("store", { Status: "healthy", FailingStreak: 0, Log: [] });
    bench.openFrontDoor("local");
    const { exitCode, stderr } = await ending;
    expect(`${exitCode} ${stderr}`).toMatch(/^0 /);
    expect(await ups()).toHaveLength(2);
  });

  it("and does not recover is D070 with its own status, its health log and its last 20 lines", async () => {
    await workbench().health("store", unhealthy(10));
    const written = Array.from({ length: 25 }, (_, index) => `line ${index + 1}.\n`).join("");
    await workbench().script(
      { when: "^compose .* up ", exitCode: 1, stderr: gaveUp, starts: true },
      { when: "^logs --tail 20 ", stdout: written },
    );
    const { exitCode, stderr } = await workbench().deploy("up");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("error D070 store is not healthy: 10 health checks in a row failed: no answer");
    expect(stderr).toContain("\n  health check: no answer\n  its last lines:\n    line 6.\n    line 7.\n");
    expect(stderr).toContain("    line 25.\n  fix: ");
    expect(await ups()).toHaveLength(1);
  });

  it("and is healthy but fails every start is told in the end, in Compose's words", async () => {
    await workbench().write("deploy.config.yaml", "version: 1\nproject: scripted\nhealth:\n  waitSeconds: 1\n");
    await workbench().script({ when: "^compose .* up ", exitCode: 1, stderr: gaveUp, starts: true });
    const { exitCode, stderr } = await workbench().deploy("up");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("error D074 docker compose up failed (exit 1)");
    expect(stderr).toContain("container scripted-store-1 is unhealthy");
  });

  it("without a health check is a failure at once", async () => {
    const stderr = "dependency failed to start: container scripted-store-1 has no healthcheck configured\n";
    await workbench().script({ when: "^compose .* up ", exitCode: 1, stderr, starts: true });
    const ended = await workbench().deploy("up");
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain("error D074 docker compose up failed (exit 1)");
  });
});

describe("a container whose service is scaled to zero", () => {
  it("is removed without its anonymous volumes, in which its image may keep data", async () => {
    const bench = workbench();
    await bench.write("more.yaml", "services:\n  extra:\n    image: example.test/extra:1\n    scale: 0\n");
    await bench.write(
      "deploy.config.yaml",
      "version: 1\nproject: scripted\nhealth:\n  waitSeconds: 1\ncompose:\n  overlays:\n    always: [more.yaml]\n",
    );
    await bench.script(...containersThere({ "scripted-extra-1": { labels: serviceLabels("scripted", "extra") } }));
    await bench.deploy("up", "--yes");
    const removals = (await bench.changes()).filter(([command]) => command === "rm");
    expect(removals).toEqual([["rm", "--force", "id-scripted-extra-1"]]);
  });
});
