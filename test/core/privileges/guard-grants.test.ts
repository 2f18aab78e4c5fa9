import { describe, expect, test } from "vitest";
import { privilegesOfContainers } from "../../../src/core/privileges/live-privileges.ts";
import type { PrivilegeContext } from "../../../src/core/privileges/privilege.ts";
import { privilegesOfModel } from "../../../src/core/privileges/privileges.ts";
import { host, modelOf } from "../../support/granted.ts";
import { containersOf, inspected } from "../../support/inspected.ts";

const entrypoint = ["node", "--max-semi-space-size=2", "/app/guard.js"];
const command =
  "serve --policy /etc/guard/policy.yaml --listen unix:/run/guard/docker.sock --upstream unix:/var/run/docker.sock --audit /var/lib/guard/audit.jsonl".split(
    " ",
  );
const listen = "unix:/run/guard/docker.sock";
const socket = { type: "bind", source: "/var/run/docker.sock", target: "/var/run/docker.sock" };
const policy = {
  type: "bind",
  source: "/srv/demo/.deploy/guard/policy.yaml",
  target: "/etc/guard/policy.yaml",
  read_only: true,
};
const door = { type: "volume", source: "door", target: "/run/guard" };
const audit = { type: "volume", source: "audit", target: "/var/lib/guard" };
const shipped = {
  image: "sandbox-deploy/guard:0.1.0",
  entrypoint,
  command,
  network_mode: "none",
  cap_drop: ["ALL"],
  security_opt: ["no-new-privileges:true"],
  volumes: [socket, policy, door, audit],
};

function privileges(
  guard: object,
  gateway: object = { volumes: [{ ...door, read_only: true }] },
  context: PrivilegeContext = host,
): string[] {
  const model = modelOf({
    services: { gateway, guard },
    volumes: { door: { name: "demo_door" }, audit: { name: "demo_audit" } },
    configs: { other: { name: "demo_other", content: "0" } },
    secrets: { other: { name: "demo_other", environment: "OTHER" } },
  });
  return privilegesOfModel(model, context).map(
    ({ service, kind, detail, consent }) => `${service} ${kind} ${detail}${consent ? ` | ${consent}` : ""}`,
  );
}

const guarded = [
  "gateway sandbox-operations through the guard",
  "guard runtime-socket /var/run/docker.sock (rw), as the guard",
];

describe("the guard", () => {
  test("as it is shipped holds the socket without a question, and gives the gateway sandbox operations", () => {
    expect(privileges(shipped).filter((line) => !line.includes("host-bind"))).toEqual(guarded);
  });

  test("gives nothing to a service that does not mount where it listens", () => {
    expect(privileges(shipped, { volumes: [{ ...audit }] })).not.toContainEqual(
      expect.stringMatching(/^gateway sandbox-op/),
    );
  });

  test.each<[what: string, parts: object]>([
    ["another image", { image: "evil/guard:1" }],
    ["an image of the same name from another registry", { image: "registry.example/sandbox-deploy/guard:0.1.0" }],
    ["another program", { entrypoint: ["sh", "-c", "sleep 1"] }],
    ["the image's own program", { entrypoint: null, command: null }],
    ["another policy", { command: [...command, "--policy", "/tmp/policy.yaml"] }],
    [
      "an address that others reach",
      { command: command.map((word) => word.replace("/run/guard/", "/var/lib/guard/")) },
    ],
    ["another command", { command: ["policy", ...command.slice(1)] }],
    ["code that Node loads first", { environment: { NODE_OPTIONS: "--require /tmp/x.js" } }],
    ["one more word", { command: [...command, "--insecure"] }],
    ["a library that the loader loads first", { environment: { LD_PRELOAD: "/tmp/x.so" } }],
    ["something mounted over its program", { volumes: [...shipped.volumes, { ...door, target: "/app" }] }],
    ["a policy that it may write", { volumes: [socket, { ...policy, read_only: false }, door, audit] }],
    ["one more path of the host", { volumes: [...shipped.volumes, { ...socket, source: "/srv", target: "/srv" }] }],
    ["a network", { network_mode: undefined, networks: { default: {} } }],
    ["the processes of the gateway", { pid: "service:gateway" }],
    ["the network of the gateway", { network_mode: "service:gateway" }],
    ["a capability", { cap_add: ["SYS_PTRACE"] }],
    ["privileged", { privileged: true }],
    ["volumes of others", { volumes_from: ["container:other"] }],
    ["a health check of its own", { healthcheck: { test: ["CMD", "node", "-e", "0"] } }],
    ["a health check in a shell", { healthcheck: { test: ["CMD-SHELL", "node /app/guard.js healthcheck"] } }],
    ["a library that audits the others", { environment: { LD_AUDIT: "/run/guard/x.so" } }],
    ["a folder in which its program is looked for first", { environment: { PATH: "/run/guard:/usr/bin" } }],
    ["modules for its encryption", { environment: { OPENSSL_CONF: "/run/guard/x.cnf" } }],
  ])("with %s is one more holder of the engine's socket", (_what, parts) => {
    expect(privileges({ ...shipped, ...parts })).toContainEqual(
      expect.stringMatching(/^guard runtime-socket \/var\/run\/docker\.sock \(rw\) \| host-root$/),
    );
  });

  test.each<[what: string, parts: object, detail: string]>([
    ["starts a command in it", { post_start: [{ command: ["sh", "-c", "id"] }] }, "post_start hook"],
    ["starts a command in it at its end", { pre_stop: [{ command: ["sh", "-c", "id"] }] }, "pre_stop hook"],
    ["writes over its program", { configs: [{ source: "other", target: "/app/guard.js" }] }, "config other"],
    ["writes over its policy", { secrets: [{ source: "other", target: "/etc/guard/policy.yaml" }] }, "secret other"],
  ])("takes consent where Compose %s, since no container shows that", (_what, parts, detail) => {
    expect(privileges({ ...shipped, ...parts })).toContain(`guard runtime-socket ${detail}, in the guard | host-root`);
  });

  test("takes consent where another policy is mounted than the one that was read", () => {
    const planned = { policyPath: policy.source, folders: undefined };
    const context = { ...host, guarded: { running: new Map(), planned } };
    const other = { ...policy, source: "/srv/demo/lax.yaml" };
    const lines = (mount: object) =>
      privileges({ ...shipped, volumes: [socket, mount, door, audit] }, undefined, context);
    expect(lines(other)).toContain("guard runtime-socket policy /srv/demo/lax.yaml, in the guard | host-root");
    expect(lines(policy).filter((line) => line.includes("host-root"))).toEqual([]);
  });

  test.each([
    ["the one that is shipped", { test: ["CMD", "node", "/app/guard.js", "healthcheck", "--listen", listen] }],
    ["none", { test: ["NONE"] }],
    ["one that is switched off", { disable: true, test: ["CMD", "id"] }],
  ])("may have %s as its health check", (_what, healthcheck) => {
    expect(privileges({ ...shipped, healthcheck }).filter((line) => !line.includes("host-bind"))).toEqual(guarded);
  });

  test("is known again as a running container, and is none with another image", () => {
    const mount = (Type: string, Source: string, Destination: string, RW = true) => ({
      ...{ Type, Source, Destination, RW },
      ...(Type === "volume" ? { Name: Source } : {}),
    });
    const container = (image: string, more: object = {}) => {
      const plain = inspected({
        env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        labels: { "com.docker.compose.service": "guard" },
        hostConfig: { NetworkMode: "none" },
        network: { Networks: { none: {} } },
        mounts: [
          mount("bind", "/var/run/docker.sock", "/var/run/docker.sock"),
          mount("bind", "/srv/demo/.deploy/guard/policy.yaml", "/etc/guard/policy.yaml", false),
          mount("volume", "demo_door", "/run/guard"),
          mount("volume", "demo_audit", "/var/lib/guard"),
        ],
      });
      const config = plain["Config"];
      return {
        ...plain,
        Config: {
          ...(typeof config === "object" ? config : {}),
          ...{ Image: image, Entrypoint: entrypoint, Cmd: command },
          ...more,
        },
      };
    };
    const sockets = (image: string, more: object = {}) =>
      privilegesOfContainers(containersOf(container(image, more)), host).filter(
        ({ kind }) => kind === "runtime-socket",
      );
    const Test = ["CMD", "node", "/app/guard.js", "healthcheck", "--listen", listen];
    expect(sockets(shipped.image, { Healthcheck: { Test } })).toEqual(sockets(shipped.image));
    expect(sockets(shipped.image, { Healthcheck: { Test: ["CMD", "id"] } })).toMatchObject([{ consent: "host-root" }]);
    expect(sockets(shipped.image, { Env: ["PATH=/run/guard:/bin"] })).toMatchObject([{ consent: "host-root" }]);
    expect(sockets("sandbox-deploy/guard:0.1.0-local")).toEqual([
      { service: "guard", kind: "runtime-socket", detail: "/var/run/docker.sock (rw), as the guard" },
    ]);
    expect(sockets("sandbox-deploy/gateway:0.1.0")).toEqual([
      { service: "guard", kind: "runtime-socket", detail: "/var/run/docker.sock (rw)", consent: "host-root" },
    ]);
  });
});

describe("a guard whose policy lets sandboxes mount folders of the host", () => {
  const root = "/srv/threads";
  const seen = { type: "bind", source: root, target: root, read_only: true };
  const held = /^guard runtime-socket \/var\/run\/docker\.sock \(rw\), as the guard$/;

  /** The guard's program printed a policy with this root, and no path is a link. */
  const printed = (path = root, writable = true, links: Record<string, string> = {}): PrivilegeContext => ({
    ...host,
    realPaths: new Map(Object.entries({ [path]: path, ...links })),
    guarded: {
      running: new Map(),
      planned: { policyPath: policy.source, folders: { root: path, writable } },
    },
  });
  const lines = (context: PrivilegeContext, ...more: object[]): string[] =>
    privileges({ ...shipped, volumes: [...shipped.volumes, ...more] }, undefined, context);

  test("may see their root, and whoever can make sandboxes holds them, with the consent of mounting them", () => {
    expect(lines(printed(), seen).filter((line) => !line.includes("policy.yaml"))).toEqual([
      "gateway sandbox-operations through the guard",
      `gateway sandbox-folders folders below ${root} (rw) | host-files`,
      "guard runtime-socket /var/run/docker.sock (rw), as the guard",
      `guard host-bind ${root} (ro)`,
    ]);
  });

  test.each([
    ["only to read", root, false, `gateway sandbox-folders folders below ${root} (ro)`],
    ["below the project", "/srv/demo/data", true, "gateway sandbox-folders folders below ./data (rw)"],
  ])("needs no consent where they are %s", (_what, path, writable, line) => {
    const guarded = lines(printed(path, writable), { ...seen, source: path, target: path });
    expect(guarded).toContain(line);
    expect(guarded).toContainEqual(expect.stringMatching(held));
  });

  test("gives the folders to the gateway whether it sees them or not", () => {
    expect(lines(printed())).toContain(`gateway sandbox-folders folders below ${root} (rw) | host-files`);
  });

  const at = (path: string): [PrivilegeContext, ...object[]] => [
    printed(path),
    { ...seen, source: path, target: path },
  ];
  test.each<[what: string, context: PrivilegeContext, ...mounts: object[]]>([
    ["may write there", printed(), { ...seen, read_only: false }],
    ["sees it under another name", printed(), { ...seen, target: "/srv/other" }],
    ["sees more than it", printed(), { ...seen, source: "/srv", target: "/srv" }],
    ["sees only a part of it", printed(), { ...seen, source: `${root}/1`, target: `${root}/1` }],
    ["sees something beside it", printed(), seen, { ...seen, source: "/srv/more", target: "/srv/more" }],
    ["sees it twice", printed(), seen, { ...seen, target: "/mnt" }],
    ["sees a link in its place", printed(root, true, { [root]: "/var/lib/docker" }), seen],
    ["sees what nobody knows to be no link", { ...printed(), realPaths: new Map() }, seen],
    ["sees another root than the one that was printed", printed("/srv/else"), seen],
    ["has a policy that nobody printed", host, seen],
    ["has the policy of another file", otherFile(), seen],
    ["has a root over its program", ...at("/app/data")],
    ["has a root over its libraries", ...at("/usr/share/threads")],
    ["has a root over its audit", ...at("/var/lib/guard/threads")],
    ["has a root that holds its sockets", ...at("/run/guard")],
    ["has a root that holds its audit", ...at("/var")],
    ["has everything as a root", ...at("/")],
    ["has the engine's state as a root", ...at("/var/lib/docker/volumes")],
    ["has somebody's keys as a root", ...at("/home/alice/.ssh")],
    ["has somebody's home as a root", ...at("/home/alice")],
    ["has what decides the next deployment as a root", ...at("/srv/demo/.deploy")],
    ["has the project itself as a root", ...at("/srv/demo")],
  ])("is one more holder of the engine's socket when it %s", (_what, context, ...mounts) => {
    const found = lines(context, ...mounts);
    expect(found).toContain("guard runtime-socket /var/run/docker.sock (rw) | host-root");
    expect(found).not.toContainEqual(expect.stringMatching(/^gateway sandbox-/));
  });

  function otherFile(): PrivilegeContext {
    const planned = { policyPath: "/srv/demo/other.yaml", folders: { root, writable: true } };
    return { ...printed(), guarded: { running: new Map(), planned } };
  }

  const mount = (Source: string, Destination: string, RW: boolean, Type = "bind") => ({
    ...{ Type, Source, Destination, RW },
    ...(Type === "volume" ? { Name: Source } : {}),
  });
  const running = inspected({
    Id: "1".repeat(64),
    labels: { "com.docker.compose.service": "guard" },
    hostConfig: { NetworkMode: "none" },
    network: { Networks: { none: {} } },
    mounts: [
      mount("/var/run/docker.sock", "/var/run/docker.sock", true),
      mount(policy.source, policy.target, false),
      mount("demo_door", "/run/guard", true, "volume"),
      mount("demo_audit", "/var/lib/guard", true, "volume"),
      mount(root, root, false),
    ],
  });
  const guardContainer = {
    ...running,
    Config: { ...asObject(running["Config"]), Image: shipped.image, Entrypoint: entrypoint, Cmd: command },
  };
  const sandboxWith = (source: string, writable = true) => ({
    ...inspected({ Id: "2".repeat(64), labels: {}, mounts: [mount(source, "/mnt/data", writable)] }),
  });
  const says = (writable: boolean, container = "1".repeat(64)): PrivilegeContext => ({
    ...host,
    realPaths: new Map([[root, root]]),
    guarded: { running: new Map([[container, { root, writable }]]) },
  });
  const live = (context: PrivilegeContext, sandbox: Record<string, unknown>): string[] =>
    privilegesOfContainers(containersOf(guardContainer, sandbox), context).map(
      ({ service, kind, detail, consent }) => `${service} ${kind} ${detail}${consent ? ` | ${consent}` : ""}`,
    );

  test("is known again by what it says itself, and a sandbox with such a folder holds nothing that was not asked", () => {
    const found = live(says(true), sandboxWith(`${root}/1`));
    expect(found).toContainEqual(expect.stringMatching(held));
    expect(found).toContain(`sandbox host-bind ${root}/1 (rw)`);
  });

  test.each([
    ["the root itself", root, true],
    ["what lies beside it", "/srv/threads-2", true],
    ["to write what is only to be read", `${root}/1`, false],
  ])("has no part in a sandbox that mounts %s", (_what, source, writable) => {
    expect(live(says(writable), sandboxWith(source))).toContain(`sandbox host-bind ${source} (rw) | host-files`);
  });

  test("is none when another container is the one that speaks", () => {
    const found = live(says(true, "3".repeat(64)), sandboxWith(`${root}/1`));
    expect(found).toContain("guard runtime-socket /var/run/docker.sock (rw) | host-root");
    expect(found).toContain(`sandbox host-bind ${root}/1 (rw) | host-files`);
  });
});

function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}
