import { describe, expect, test } from "vitest";
import { type Difference, differences, differenceText, isHashless } from "../../../src/core/drift/drift.ts";
import { allEnforced } from "../../../src/core/stack/limits.ts";
import { parseImageSettings } from "../../../src/core/stack/program-settings.ts";
import { modelOf } from "../../support/granted.ts";
import { containersOf, inspected } from "../../support/inspected.ts";

const image = parseImageSettings({
  User: "app",
  WorkingDir: "/srv",
  Entrypoint: ["run"],
  Cmd: ["serve"],
  Env: ["PATH=/bin", "LANG=C"],
  Labels: { vendor: "acme" },
  Healthcheck: { Test: ["CMD", "ok"], Interval: 5e9 },
});
const ofImage = {
  User: "app",
  WorkingDir: "/srv/",
  Entrypoint: ["run"],
  Cmd: ["serve"],
  Env: ["PATH=/bin", "LANG=C"],
  Labels: { vendor: "acme", "com.docker.compose.service": "app", "com.docker.compose.config-hash": "h" },
  Healthcheck: { Test: ["CMD", "ok"], Interval: 5e9 },
};

interface Parts {
  readonly config?: Record<string, unknown>;
  readonly host?: Record<string, unknown>;
  readonly mounts?: readonly unknown[];
  readonly networks?: Record<string, unknown>;
  readonly unknownImage?: boolean;
}

function found(service: Record<string, unknown>, parts: Parts = {}): Difference[] {
  const model = modelOf({
    services: { app: { networks: { default: null }, ...service }, db: {} },
    networks: { default: { name: "demo_default" } },
    volumes: { data: { name: "demo_data" } },
    secrets: { key: { file: "/srv/demo/key" } },
  });
  const raw = inspected({
    hostConfig: { IpcMode: "private", ...parts.host },
    mounts: parts.mounts ?? [],
    network: { Networks: parts.networks ?? { demo_default: {} } },
  });
  const [container] = containersOf({ ...raw, Config: { Image: "demo:1", ...ofImage, ...parts.config } });
  const [db] = containersOf(
    inspected({ Id: "db-1", Name: "/demo-db-1", labels: { "com.docker.compose.service": "db" } }),
  );
  const modelled = model.services["app"];
  if (!container || !modelled || !db) throw new Error("nothing to compare");
  const known = parts.unknownImage ? undefined : image;
  return differences({
    name: "app",
    service: modelled,
    container,
    model,
    image: known,
    all: [container, db],
    enforced: allEnforced,
  });
}

const texts = (...args: Parameters<typeof found>) => found(...args).map(differenceText);

describe("a container that is as its service says", () => {
  test.each<[what: string, service: Record<string, unknown>, parts: Parts]>([
    ["with everything from its image", {}, {}],
    ["with everything from an image that nobody knows", {}, { unknownImage: true }],
    [
      "with a program and an environment of its own",
      { entrypoint: ["a"], environment: { LANG: "de", X: "1" } },
      { config: { Entrypoint: ["a"], Cmd: null, Env: ["PATH=/bin", "LANG=de", "X=1"] } },
    ],
    [
      "with a key that takes the image's away",
      { environment: { LANG: null } },
      { config: { Env: ["PATH=/bin", "LANG"] } },
    ],
    [
      "with proxies from the operator's own settings",
      {},
      { config: { Env: ["PATH=/bin", "LANG=C", "HTTP_PROXY=p", "no_proxy=q"] } },
    ],
    [
      "with limits, written in two ways, and as much swap as memory",
      { deploy: { resources: { limits: { memory: "52428800", cpus: 0.2, pids: 20 } } } },
      { host: { Memory: 52428800, MemorySwap: 104857600, CpuQuota: 20000, CpuPeriod: 100000, PidsLimit: 20 } },
    ],
    ["without a limit to its swap", { memswap_limit: "-1" }, { host: { MemorySwap: -1 } }],
    [
      "with mounts of every kind",
      {
        volumes: [
          { type: "volume", source: "data", target: "/data" },
          { type: "bind", source: "/srv/demo/x", target: "/x", read_only: true },
          { type: "volume", target: "/own" },
        ],
        tmpfs: ["/tmp:size=16m", "/run"],
        secrets: [{ source: "key", target: "/run/secrets/key" }],
      },
      {
        mounts: [
          { Type: "volume", Name: "demo_data", Destination: "/data", RW: true },
          { Type: "bind", Source: "/srv/demo/x", Destination: "/x", RW: false },
          { Type: "volume", Name: "a".repeat(64), Destination: "/own", RW: true },
          { Type: "volume", Name: "b".repeat(64), Destination: "/of-the-image", RW: true },
          { Type: "bind", Source: "/srv/demo/key", Destination: "/run/secrets/key", RW: false },
        ],
        host: { Tmpfs: { "/run": "", "/tmp": "size=16m" } },
      },
    ],
    [
      "that shares what another one has",
      { networks: {}, network_mode: "service:db", pid: "service:db", volumes_from: ["db:ro"] },
      { networks: {}, host: { NetworkMode: "container:db-1", PidMode: "container:db-1", VolumesFrom: ["db-1"] } },
    ],
    [
      "that has no network",
      { networks: {}, network_mode: "none" },
      { networks: { none: {} }, host: { NetworkMode: "none" } },
    ],
    [
      "with a check, a signal and a time to end",
      { healthcheck: { test: ["CMD", "x"], interval: "1m30s" }, stop_signal: "SIGINT", stop_grace_period: "1m0s" },
      { config: { Healthcheck: { Test: ["CMD", "x"], Interval: 90e9 }, StopSignal: "SIGINT", StopTimeout: 60 } },
    ],
    ["without a check", { healthcheck: { disable: true } }, { config: { Healthcheck: { Test: ["NONE"] } } }],
    [
      "confined",
      {
        cap_drop: ["ALL"],
        cap_add: ["CAP_CHOWN"],
        read_only: true,
        security_opt: ["no-new-privileges:true"],
        restart: "on-failure:3",
      },
      {
        host: {
          ...{ CapDrop: ["ALL"], CapAdd: ["CHOWN"], ReadonlyRootfs: true },
          ...{ SecurityOpt: ["no-new-privileges"], RestartPolicy: { Name: "on-failure" } },
        },
      },
    ],
  ])("%s has no difference", (_, service, parts) => {
    expect(texts(service, parts)).toEqual([]);
  });
});

describe("a difference is named, and no value is told that may be a secret", () => {
  test.each<[service: Record<string, unknown>, parts: Parts, expected: string[]]>([
    [{ command: ["--password", "n3w-s3cret"] }, { config: { Cmd: ["--password", "0ld-s3cret"] } }, ["command changed"]],
    [{}, { config: { Cmd: ["other"] } }, ["command changed"]],
    [{ entrypoint: ["x"] }, {}, ["command removed", "entrypoint changed"]],
    [
      { environment: { TOKEN: "n3w-s3cret", NEW: "n" } },
      { config: { Env: ["PATH=/bin", "LANG=C", "TOKEN=0ld-s3cret", "GONE=g"] } },
      ["environment key TOKEN changed", "environment key NEW added", "environment key GONE removed"],
    ],
    [
      { labels: { a: "2" } },
      { config: { Labels: { ...ofImage.Labels, a: "1", b: "1" } } },
      ["label a changed", "label b removed"],
    ],
    [{ healthcheck: { test: "curl -H s3cret" } }, {}, ["health check changed"]],
    [{ healthcheck: { interval: "7s" } }, {}, ["times of the health check changed"]],
    [{ user: "1:1" }, {}, ["user changed (app -> 1:1)"]],
    [{ networks: { default: null } }, { networks: { demo_default: {}, other: {} } }, ["network other removed"]],
    [{ networks: { default: { aliases: ["z"] } } }, {}, ["network alias z added"]],
    [{ ports: [{ target: 80, published: "81", host_ip: "127.0.0.1" }] }, {}, ["port 127.0.0.1:81 -> 80/tcp added"]],
    [
      { mem_limit: "1048576" },
      {},
      ["memory limit changed (none -> 1 MiB)", "memory and swap limit changed (none -> 2 MiB)"],
    ],
    [{}, { host: { PidsLimit: 5 } }, ["process limit changed (5 -> none)"]],
    [
      { volumes: [{ type: "volume", source: "data", target: "/data", read_only: true }] },
      {
        mounts: [
          { Type: "volume", Name: "demo_data", Destination: "/data", RW: true },
          { Type: "bind", Source: "/etc", Destination: "/etc2", RW: true },
        ],
      },
      ["mount /data changed (volume demo_data (rw) -> volume demo_data (ro))", "mount /etc2 removed"],
    ],
    [{}, { host: { Privileged: true } }, ["privileged changed (true -> false)"]],
    [{}, { host: { RestartPolicy: { Name: "always" } } }, ["restart policy changed (always -> no)"]],
    [
      { networks: {}, network_mode: "service:db" },
      { networks: {}, host: { NetworkMode: "container:gone" } },
      ["network mode changed"],
    ],
    [{}, { host: { PidMode: "host" } }, ["process namespace changed"]],
    [
      { logging: { driver: "syslog", options: { tag: "n3w-s3cret" } } },
      { host: { LogConfig: { Type: "syslog", Config: { tag: "0ld-s3cret" } } } },
      ["options of the log driver changed"],
    ],
  ])("%#", (service, parts, expected) => {
    expect(texts(service, parts)).toEqual(expected);
    expect(JSON.stringify(found(service, parts))).not.toMatch(/s3cret/);
  });

  test("what an unknown image may have brought is not told", () => {
    const config = { Cmd: ["x"], User: "x", Env: ["X=1"], Labels: { x: "1" }, Healthcheck: { Test: ["CMD", "y"] } };
    expect(texts({}, { config, unknownImage: true })).toEqual([]);
  });
});

test.each<[service: Record<string, unknown>, expected: boolean]>([
  [{}, false],
  [{ network_mode: "host" }, false],
  [{ network_mode: "container:x" }, false],
  [{ ipc: "service:db" }, true],
  [{ volumes_from: ["container:x"] }, true],
  [{ use_api_socket: true }, true],
])("Compose's hash says nothing of a service that shares what another has: %j", (service, expected) => {
  const app = modelOf({ services: { app: service } }).services["app"];
  expect(app && isHashless(app)).toBe(expected);
});
