import { describe, expect, it } from "vitest";
import { containersThere, sandboxLabels, serviceLabels } from "./support/engine-rules.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

async function deployed() {
  workbench().openFrontDoor("local");
  const { exitCode, stderr } = await workbench().deploy("up");
  expect(`${exitCode} ${stderr}`).toMatch(/^0 /);
}

const running = (service: string, state = {}) => ({
  [`scripted-${service}-1`]: {
    labels: serviceLabels("scripted", service),
    hostConfig: { RestartPolicy: { Name: "unless-stopped" } },
    state: { StartedAt: "2026-01-01T00:00:00Z", ...state },
  },
});

describe("status", () => {
  it("where nothing was deployed and nothing runs has nothing to show", async () => {
    const { exitCode, stdout } = await workbench().deploy("status");
    expect(`${exitCode} ${stdout}`).toBe("0 nothing of scripted is running\n");
  });

  it("exits 1 and names the services of the last deployment whose containers are gone", async () => {
    await deployed();
    await workbench().script(...containersThere(running("proxy")));
    const some = await workbench().deploy("status");
    expect(some.exitCode).toBe(1);
    expect(some.stdout).toContain("missing   gateway, store; ./deploy up starts them");
    expect(some.stdout).toMatch(/^ {2}gateway +missing: it has no container$/m);
    expect(some.stdout).toMatch(/^ {2}proxy +healthy/m);
    await workbench().script(...containersThere({}));
    const none = await workbench().deploy("status");
    expect(none.exitCode).toBe(1);
    expect(none.stdout).toContain("missing   gateway, proxy, store;");
    expect(JSON.parse((await workbench().deploy("status", "--json")).stdout)).toMatchObject({ exitCode: 1 });
  });

  it("exits 1 while sandboxes outlive their stack", async () => {
    await workbench().script(...containersThere({ "box-1": { labels: sandboxLabels("scripted") } }));
    const { exitCode, stdout } = await workbench().deploy("status");
    expect(exitCode).toBe(1);
    expect(stdout).toContain("missing   every service;");
    expect(stdout).toContain("sandboxes box-1");
  });

  it("says of a stopped service that it is stopped", async () => {
    const stopped = running("proxy", { Status: "exited", Running: false, ExitCode: 0 });
    await workbench().script(...containersThere(stopped));
    const { exitCode, stdout } = await workbench().deploy("status");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^ {2}proxy {2}stopped \(exit code 0\) {2}/m);
    expect(stdout).not.toContain("waiting");
  });

  it("does not take the last deployment of another project for this one's", async () => {
    await deployed();
    await workbench().script(...containersThere({}));
    const { exitCode, stdout, stderr } = await workbench().deploy("status", "--project", "other");
    expect(`${exitCode} ${stdout}`).toBe("0 nothing of other is running\n");
    expect(stderr).toContain("was project scripted; it may still run: ./deploy down --project scripted");
    await workbench().script(
      ...containersThere({
        "other-proxy-1": { labels: serviceLabels("other", "proxy"), state: { StartedAt: "2026" } },
      }),
    );
    const document = JSON.parse((await workbench().deploy("status", "--project", "other", "--json")).stdout);
    expect(document).toMatchObject({ mode: null, deployedAt: null, services: [{ service: "proxy" }] });
  });

  it("shows privileges in columns, as the plan does", async () => {
    const privileged = { hostConfig: { Privileged: true } };
    await workbench().script(
      ...containersThere({
        "scripted-proxy-1": { labels: serviceLabels("scripted", "proxy"), ...privileged },
        "scripted-long-name-1": { labels: serviceLabels("scripted", "long-name"), ...privileged },
      }),
    );
    const { stdout } = await workbench().deploy("status");
    const rows = stdout.split("\n").filter((line) => /^ {2}(proxy|long-name) +privileged /.test(line));
    expect(rows).toHaveLength(2);
    expect(new Set(rows.map((row) => row.indexOf("privileged"))).size).toBe(1);
  });
});
