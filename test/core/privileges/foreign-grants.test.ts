import { describe, expect, test } from "vitest";
import { privilegesOfContainers } from "../../../src/core/privileges/live-privileges.ts";
import type { MountFact, PrivilegeContext } from "../../../src/core/privileges/privilege.ts";
import { granted, host } from "../../support/granted.ts";
import { containersOf, type InspectedParts, inspected } from "../../support/inspected.ts";

const socketMount: MountFact = {
  type: "bind",
  source: "/run/docker.sock",
  target: "/s",
  writable: true,
  name: undefined,
};
const dataMount: MountFact = { type: "volume", source: "/v", target: "/data", writable: false, name: "vault_data" };

/** What the engine knows: volumes and networks of this project, of another and of nobody, and another's container. */
const known: PrivilegeContext = {
  ...host,
  project: "demo",
  volumes: [
    { name: "demo_own", driver: "local", options: {}, project: "demo" },
    { name: "shared", driver: "local", options: {} },
    { name: "vault_data", driver: "local", options: {}, project: "vault" },
    { name: "a".repeat(64), driver: "local", options: {} },
  ],
  networks: new Map([
    ["demo_own", { driver: "bridge", project: "demo" }],
    ["edge", { driver: "bridge", project: undefined }],
    ["vault_default", { driver: "bridge", project: "vault" }],
    ["lan", { driver: "macvlan", project: undefined }],
  ]),
  others: [{ id: "f".repeat(64), name: "vault-db-1", mounts: [socketMount, dataMount] }],
};

function held(parts: InspectedParts, context = known): string[] {
  return privilegesOfContainers(containersOf(inspected(parts)), context).map(({ kind, detail, consent }) =>
    [kind, detail, ...(consent === undefined ? [] : [consent])].join(" | "),
  );
}

const mounted = (Name: string, RW = true) => ({
  mounts: [{ Type: "volume", Name, Source: "/v", Destination: "/data", Driver: "local", RW }],
});

describe("a volume", () => {
  const mounts = (source: string) => ({ volumes: [{ type: "volume", source, target: "/data" }] });
  test.each<[what: string, declared: Record<string, unknown>, expected: string[]]>([
    ["of the project", { name: "demo_own" }, []],
    ["of the project, called external", { name: "demo_own", external: true }, []],
    ["that nobody has yet", { name: "new" }, []],
    ["that somebody made by hand", { name: "shared", external: true }, ["host-bind | volume shared (rw)"]],
    ["with the name of such a one", { name: "shared" }, ["host-bind | volume shared (rw)"]],
    [
      "of another project",
      { name: "vault_data", external: true },
      ["host-bind | volume vault_data of project vault (rw) | host-files"],
    ],
    [
      "with the name of another project's",
      { name: "vault_data" },
      ["host-bind | volume vault_data of project vault (rw) | host-files"],
    ],
  ])("%s is judged in the same words in the model and on the container", (_what, declared, expected) => {
    expect(granted(mounts("v"), { volumes: { v: declared } }, known)).toEqual(expected);
    expect(held(mounted(String(declared["name"])))).toEqual(expected);
  });

  test("without a name is the container's own", () => {
    expect(held(mounted("a".repeat(64)))).toEqual([]);
  });

  test("of another project counts read-only as well", () => {
    expect(held(mounted("vault_data", false))).toEqual([
      "host-bind | volume vault_data of project vault (ro) | host-files",
    ]);
  });

  test("is nobody's news where the project is not known", () => {
    expect(held(mounted("vault_data"), { ...known, project: undefined })).toEqual([]);
  });
});

describe("a network", () => {
  test.each<[name: string, expected: string[]]>([
    ["demo_own", []],
    ["edge", ["foreign-network | edge"]],
    ["vault_default", ["foreign-network | vault_default of project vault"]],
    ["lan", ["published-port | every port, on macvlan network lan"]],
    ["bridge", ["foreign-network | bridge, the engine's own"]],
    ["none", []],
  ])("%s is judged in the same words by reference, by network_mode and on the container", (name, expected) => {
    const networks = { outside: { name, external: true } };
    expect(granted({ networks: { outside: {} } }, { networks }, known)).toEqual(expected);
    expect(granted({ network_mode: name }, {}, known)).toEqual(expected);
    expect(held({ network: { Networks: { [name]: {} } } })).toEqual(expected);
  });

  test("of the engine has another name in network_mode", () => {
    expect(granted({ network_mode: "default" }, {}, known)).toEqual(["foreign-network | bridge, the engine's own"]);
  });

  test("that the model makes is the project's own, whatever it is called", () => {
    expect(granted({ networks: { n: null } }, { networks: { n: { name: "edge" } } }, known)).toEqual([]);
  });
});

describe("a container of others", () => {
  const inherited = [
    "runtime-socket | /var/run/docker.sock (rw) | host-root",
    "host-bind | volume vault_data of project vault (ro) | host-files",
    "host-bind | volumes of container vault-db-1 | host-files",
  ];
  const mounts = [
    { Type: "bind", Source: "/run/docker.sock", Destination: "/s", RW: true },
    { Type: "volume", Name: "vault_data", Source: "/v", Destination: "/data", Driver: "local", RW: false },
  ];

  test.each(["vault-db-1", "f".repeat(64), "f".repeat(12)])(
    "gives its mounts to whoever takes its volumes, in the same words, as %s",
    (reference) => {
      expect(granted({ volumes_from: [`container:${reference}:ro`] }, {}, known)).toEqual(inherited);
      expect(held({ hostConfig: { VolumesFrom: [`${reference}:ro`] }, mounts })).toEqual(inherited);
    },
  );

  test("that is the project's own after all is a service", () => {
    const services = { db: { volumes: [{ type: "bind", source: "/opt/x", target: "/x" }] } };
    const app = (reference: string) => ({ volumes_from: [`container:${reference}`], pid: `container:${reference}` });
    const lines = (reference: string) => granted(app(reference), { services: { app: app(reference), ...services } });
    expect(lines("demo-db-1")).toEqual(["host-namespace | pid: service db", "host-bind | /opt/x (rw) | host-files"]);
  });

  test("hands over its environment where the engine links in the old way, and only there", () => {
    const line = "foreign-network | environment of linked container vault-db-1 | host-files";
    const bridge = "foreign-network | bridge, the engine's own";
    expect(granted({ network_mode: "bridge", external_links: ["vault-db-1:db"] }, {}, known)).toEqual([bridge, line]);
    expect(granted({ networks: { own: null }, external_links: ["vault-db-1:db"] }, {}, known)).toEqual([]);
    const Links = ["/vault-db-1:/demo-app-1/db"];
    expect(held({ hostConfig: { Links }, network: { Networks: { bridge: {} } } })).toEqual([bridge, line]);
  });
});
