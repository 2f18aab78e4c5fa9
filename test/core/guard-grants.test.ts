import { describe, expect, test } from "vitest";
import { privilegesOfContainers } from "../../src/core/live-privileges.ts";
import { privilegesOfModel } from "../../src/core/privileges.ts";
import { host, modelOf } from "../support/granted.ts";
import { containersOf, inspected } from "../support/inspected.ts";

const entrypoint = ["node", "--max-semi-space-size=2", "/app/guard.js"];
const command =
  "serve --policy /etc/guard/policy.yaml --listen unix:/run/guard/docker.sock --upstream unix:/var/run/docker.sock --audit /var/lib/guard/audit.jsonl".split(
    " ",
  );
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

function privileges(guard: object, gateway: object = { volumes: [{ ...door, read_only: true }] }): string[] {
  const model = modelOf({
    services: { gateway, guard },
    volumes: { door: { name: "demo_door" }, audit: { name: "demo_audit" } },
  });
  return privilegesOfModel(model, host).map(
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
  ])("with %s is one more holder of the engine's socket", (_what, parts) => {
    expect(privileges({ ...shipped, ...parts })).toContainEqual(
      expect.stringMatching(/^guard runtime-socket \/var\/run\/docker\.sock \(rw\) \| host-root$/),
    );
  });

  test("is known again as a running container, and is none with another image", () => {
    const mount = (Type: string, Source: string, Destination: string, RW = true) => ({
      ...{ Type, Source, Destination, RW },
      ...(Type === "volume" ? { Name: Source } : {}),
    });
    const container = (image: string) => {
      const plain = inspected({
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
        Config: { ...(typeof config === "object" ? config : {}), Image: image, Entrypoint: entrypoint, Cmd: command },
      };
    };
    const sockets = (image: string) =>
      privilegesOfContainers(containersOf(container(image)), host).filter(({ kind }) => kind === "runtime-socket");
    expect(sockets("sandbox-deploy/guard:0.1.0-local")).toEqual([
      { service: "guard", kind: "runtime-socket", detail: "/var/run/docker.sock (rw), as the guard" },
    ]);
    expect(sockets("sandbox-deploy/gateway:0.1.0")).toEqual([
      { service: "guard", kind: "runtime-socket", detail: "/var/run/docker.sock (rw)", consent: "host-root" },
    ]);
  });
});
