import { describe, expect, test } from "vitest";
import { privilegesOfContainers } from "../../../src/core/privileges/live-privileges.ts";
import { privilegesOfModel } from "../../../src/core/privileges/privileges.ts";
import { bind, granted, host, modelOf } from "../../support/granted.ts";
import { containersOf, type InspectedParts, inspected } from "../../support/inspected.ts";

const others = [{ id: "f".repeat(64), name: "theirs", mounts: [] }];
const known = { ...host, others };

/** What the services of a model are granted, as `service kind | detail | consent`. */
function grantedTo(services: Record<string, unknown>): string[] {
  return privilegesOfModel(modelOf({ services }), known).map(lineOf);
}

function lineOf({
  service,
  kind,
  detail,
  consent,
}: {
  service: string;
  kind: string;
  detail: string;
  consent?: string;
}) {
  return `${service} ${[kind, detail, ...(consent === undefined ? [] : [consent])].join(" | ")}`;
}

const ids = { app: "a".repeat(64), db: "b".repeat(64) };

/** What the containers of these services hold. */
function heldBy(parts: Record<keyof typeof ids, InspectedParts>): string[] {
  const containers = Object.entries(parts).map(([service, each]) => {
    const labels = { "com.docker.compose.service": service };
    return inspected({ ...each, Id: service === "app" ? ids.app : ids.db, Name: `/demo-${service}-1`, labels });
  });
  return privilegesOfContainers(containersOf(...containers), known).map(lineOf);
}

describe("a namespace", () => {
  test.each([
    ["network_mode", "network", "host-network"],
    ["pid", "pid", "host-root"],
    ["ipc", "ipc", "host-root"],
  ])("of a container of others needs consent: %s", (key, name, consent) => {
    expect(granted({ [key]: "container:theirs" }, {}, known)).toEqual([
      `host-namespace | ${name}: container theirs | ${consent}`,
    ]);
    expect(granted({ [key]: `container:${"f".repeat(64)}` }, {}, known)).toEqual([
      `host-namespace | ${name}: container theirs | ${consent}`,
    ]);
    expect(granted({ [key]: "container:gone" }, {}, known)).toEqual([
      `host-namespace | ${name}: container gone | ${consent}`,
    ]);
  });

  test.each(["network_mode", "pid", "ipc"])("of a service that has the host's is the host's: %s", (key) => {
    const services = { app: { [key]: "service:middle" }, middle: { [key]: "service:db" }, db: { [key]: "host" } };
    const consents = grantedTo(services).map((line) => line.replace(/^\w+ /, ""));
    expect(new Set(consents).size).toBe(1);
    expect(consents).toHaveLength(3);
  });

  test("of a service on the host's network under another name is the host's", () => {
    const model = modelOf({
      services: { app: { network_mode: "service:db" }, db: { networks: { outside: null } } },
      networks: { outside: { name: "host", external: true } },
    });
    expect(privilegesOfModel(model, known, ["app"]).map(lineOf)).toEqual([
      "app host-namespace | network: host | host-network",
    ]);
  });

  test("of the project's own container by name is that of its service, in a circle too", () => {
    expect(grantedTo({ app: { pid: "container:demo-db-1" }, db: { scale: 2 } })).toEqual([
      "app host-namespace | pid: service db",
    ]);
    expect(grantedTo({ app: { pid: "container:me", container_name: "me" } })).toEqual([
      "app host-namespace | pid: service app",
    ]);
  });

  test("ends in the same words on the live containers", () => {
    const joins = { hostConfig: { PidMode: `container:${ids.db}`, NetworkMode: `container:${ids.db}` } };
    expect(heldBy({ app: joins, db: {} })).toEqual([
      "app host-namespace | network: service db",
      "app host-namespace | pid: service db",
    ]);
    expect(heldBy({ app: joins, db: { hostConfig: { PidMode: "host", NetworkMode: "host" } } })).toEqual([
      "app host-namespace | network: host | host-network",
      "app host-namespace | pid: host | host-root",
      "db host-namespace | network: host | host-network",
      "db host-namespace | pid: host | host-root",
    ]);
    expect(heldBy({ app: { hostConfig: { PidMode: `container:${"f".repeat(64)}` } }, db: {} })).toEqual([
      "app host-namespace | pid: container theirs | host-root",
    ]);
  });

  test("between sandboxes is their own matter", () => {
    const sandbox = (Id: string, PidMode: string) => inspected({ Id, Name: "/s", labels: {}, hostConfig: { PidMode } });
    const containers = containersOf(sandbox(ids.app, `container:${ids.db}`), sandbox(ids.db, ""));
    expect(privilegesOfContainers(containers, known).map(lineOf)).toEqual([
      "sandbox host-namespace | pid: service sandbox",
    ]);
  });
});

describe("whoever shares the processes of a service", () => {
  const socket = "runtime-socket | /var/run/docker.sock (rw) | host-root";

  test("has what that service has", () => {
    const services = { app: { pid: "service:db" }, db: bind("/var/run/docker.sock") };
    expect(grantedTo(services)).toEqual(["app host-namespace | pid: service db | host-root", `db ${socket}`]);
    const mounts = [{ Type: "bind", Source: "/run/docker.sock", Destination: "/mnt", RW: true }];
    expect(heldBy({ app: { hostConfig: { PidMode: `container:${ids.db}` } }, db: { mounts } })).toEqual([
      "app host-namespace | pid: service db | host-root",
      `db ${socket}`,
    ]);
  });

  test("has nothing of what Compose does for it on the host", () => {
    const services = { app: { pid: "service:db" }, db: { build: { privileged: true } } };
    expect(grantedTo(services)[0]).toBe("app host-namespace | pid: service db");
  });
});
