import { describe, expect, test } from "vitest";
import { parseContainers } from "../../../src/core/containers/container.ts";
import { privilegesOfContainers } from "../../../src/core/privileges/live-privileges.ts";
import { host } from "../../support/granted.ts";
import { containersOf, inspected } from "../../support/inspected.ts";

describe("a container that is inspected", () => {
  test("is read with the fields of its state, its labels and its ports", () => {
    const [container] = containersOf(
      inspected({
        labels: {
          "com.docker.compose.service": "app",
          "com.docker.compose.project": "demo",
          "com.docker.compose.config-hash": "abc",
          "com.docker.compose.project.config_files": "/a.yaml,/b.yaml",
          "sandbox-deploy.role": "sandbox",
          other: "x",
        },
        state: {
          Status: "running",
          Health: { Status: "unhealthy", FailingStreak: 2, Log: [{ ExitCode: 1, Output: "refused", End: "" }] },
        },
        network: { Ports: { "80/tcp": [{ HostIp: "::", HostPort: "1" }] } },
      }),
    );
    expect(container).toMatchObject({
      name: "demo-app-1",
      service: "app",
      project: "demo",
      configHash: "abc",
      configFiles: ["/a.yaml", "/b.yaml"],
      ownLabels: { "sandbox-deploy.role": "sandbox" },
      image: "demo:1",
      imageId: "sha256:1",
      state: {
        status: "running",
        health: { status: "unhealthy", failingStreak: 2, log: [{ exitCode: 1, output: "refused" }] },
      },
      networks: ["demo_default"],
      openPorts: [{ hostIp: "::", published: "1", target: 80, protocol: "tcp" }],
    });
  });

  test("reads the same whatever the order in which the engine lists its mounts", () => {
    const mounts = ["/b", "/c", "/a"].map((Destination) => ({ Type: "bind", Source: "/x", Destination, RW: false }));
    const targets = [mounts, mounts.toReversed()].map((listed) =>
      containersOf(inspected({ mounts: listed }))[0]?.mounts.map(({ target }) => target),
    );
    expect(targets).toEqual([
      ["/a", "/b", "/c"],
      ["/a", "/b", "/c"],
    ]);
  });

  test("keeps nothing of its environment but the variables that grant something", () => {
    const [container] = containersOf(inspected({ env: ["PASSWORD=hunter2-sentinel", "KUBECONFIG=/k"] }));
    expect(JSON.stringify(container)).not.toContain("hunter2-sentinel");
    expect(container?.access.variables).toEqual({ KUBECONFIG: "/k" });
  });

  test.each([
    [{ Name: "unless-stopped", MaximumRetryCount: 0 }, "unless-stopped"],
    [{ Name: "", MaximumRetryCount: 0 }, "no"],
    [undefined, "no"],
  ])("restarts by the policy %j as %s", (RestartPolicy, expected) => {
    expect(containersOf(inspected({ hostConfig: { RestartPolicy } }))[0]?.access.RestartPolicy).toBe(expected);
  });

  test("may lack every field that an engine leaves out when it is empty", () => {
    const bare = { Id: "f", Name: "/x", State: { Status: "created" }, Config: {}, HostConfig: {} };
    expect(privilegesOfContainers(containersOf(bare), host)).toEqual([]);
  });

  test.each([
    ["an object that is no container", { message: "no such container" }],
    ["a field of a wrong type", inspected({ hostConfig: { Privileged: "hunter2-sentinel" } })],
    ["text", "hunter2-sentinel"],
  ])("is refused where there is %s, and no value is quoted", (_what, json) => {
    const parsed = parseContainers(json);
    expect(parsed).toMatchObject({ ok: false, findings: [{ code: "D041" }] });
    expect(JSON.stringify(parsed)).not.toContain("hunter2-sentinel");
  });
});
