import {
  type Escape,
  type Expectation,
  hidden,
  plain,
  refused,
  type Table,
  type Unguarded,
  withJson,
} from "./escape.ts";
import type { RawRequest } from "./raw-client.ts";
import type { World } from "./world.ts";

type Row = readonly [
  tries: string,
  why: string,
  request: (world: World) => RawRequest,
  unguarded?: Unguarded,
  expect?: (world: World) => Expectation,
];

const get = (path: string) => () => plain("GET", `/v1.41${path}`);
const post = (path: string, body?: unknown) => () =>
  body === undefined ? plain("POST", `/v1.41${path}`) : withJson("POST", `/v1.41${path}`, body);
const upgrade = (protocol: string) =>
  [
    ["Upgrade", protocol],
    ["Connection", "Upgrade"],
  ] as const;

const noSwarm: Unguarded = { none: "the engine under test is in no swarm" };
const swarm: Unguarded = { unsafe: "it would make the machine a part of a swarm" };
const notThere: Unguarded = { none: "engine 20.10 has no such route, or nothing behind it" };

const rows: readonly Row[] = [
  [
    "to build over a session",
    "a build reads the client's files and writes the engine's",
    () => ({ method: "POST", target: "/session", headers: [...upgrade("h2c"), ["X-Docker-Expose-Session-Uuid", "x"]] }),
    "answer",
    () => refused("framing."),
  ],
  [
    "to speak to the builder by gRPC",
    "builds with rights of the host",
    () => ({ method: "POST", target: "/grpc", headers: [...upgrade("h2c")] }),
    "answer",
    () => refused("framing."),
  ],
  ["to list plugins", "what runs as root on the host", get("/plugins"), "answer"],
  [
    "to read what a plugin asks for",
    "requests from the host's own network",
    ({ port }) => plain("GET", `/v1.41/plugins/privileges?remote=127.0.0.1%3A${port}%2Fx`),
  ],
  [
    "to install a plugin",
    "a program that runs as root on the host",
    ({ port }) => withJson("POST", `/v1.41/plugins/pull?remote=127.0.0.1%3A${port}%2Fx&name=x`, []),
  ],
  [
    "to make a plugin",
    "a program that runs as root on the host",
    () => ({
      method: "POST",
      target: "/v1.41/plugins/create?name=x",
      headers: [["Content-Type", "application/x-tar"]],
      body: Buffer.alloc(1024),
    }),
    { none: "the archive holds no plugin" },
  ],
  ["to switch a plugin on", "a program that runs as root on the host", post("/plugins/x/enable?timeout=0"), notThere],
  [
    "to give a plugin settings",
    "what a program does that is root on the host",
    post("/plugins/x/set", ["DEBUG=1"]),
    notThere,
  ],
  ["to remove a plugin", "what others need is gone", () => plain("DELETE", "/v1.41/plugins/x?force=1"), notThere],
  [
    "to make the machine a swarm",
    "the machine listens for others and obeys them",
    post("/swarm/init", { ListenAddr: "0.0.0.0:2377" }),
    swarm,
  ],
  [
    "to join a swarm",
    "the machine obeys somebody else",
    post("/swarm/join", { RemoteAddrs: ["10.0.0.1:2377"], JoinToken: "x" }),
    swarm,
  ],
  ["to leave the swarm", "every service of the machine ends", post("/swarm/leave?force=1"), noSwarm],
  ["to read the swarm", "tokens with which machines join", get("/swarm"), noSwarm],
  ["to read the key of the swarm", "everything that the swarm has encrypted", get("/swarm/unlockkey"), noSwarm],
  ["to change the swarm", "who may join", post("/swarm/update?version=1", {}), noSwarm],
  ["to list machines of the swarm", "addresses of others", get("/nodes"), noSwarm],
  ["to list services", "what others run", get("/services"), noSwarm],
  [
    "to make a service",
    "a container with any mount, made by the engine itself",
    post("/services/create", {
      Name: "x",
      TaskTemplate: { ContainerSpec: { Image: "x", Mounts: [{ Type: "bind", Source: "/", Target: "/host" }] } },
    }),
    noSwarm,
  ],
  ["to list tasks", "what others run", get("/tasks"), noSwarm],
  ["to list secrets", "names of secrets", get("/secrets"), noSwarm],
  [
    "to make a secret",
    "what a service of others reads next",
    post("/secrets/create", { Name: "x", Data: "eA==" }),
    noSwarm,
  ],
  ["to list configs", "their contents", get("/configs"), noSwarm],
  [
    "to make a config",
    "what a service of others reads next",
    post("/configs/create", { Name: "x", Data: "eA==" }),
    noSwarm,
  ],
  [
    "to log in at a registry",
    "requests from the host's own network, with an answer",
    ({ port }) =>
      withJson("POST", "/v1.41/auth", { username: "x", password: "y", serveraddress: `http://127.0.0.1:${port}` }),
  ],
  [
    "to make a network",
    "an address range that hides another one",
    ({ run }) => withJson("POST", "/v1.41/networks/create", { Name: `escape-${run}-new`, CheckDuplicate: true }),
  ],
  [
    "to make a network on an interface of the host",
    "answers for addresses of the host's own network",
    ({ run }) =>
      withJson("POST", "/v1.41/networks/create", {
        Name: `escape-${run}-new`,
        Driver: "macvlan",
        Options: { parent: "lo" },
      }),
    { none: "the interface cannot carry one" },
  ],
  [
    "to read about somebody's network",
    "names and addresses of others",
    ({ foreignNetwork }) => plain("GET", `/v1.41/networks/${foreignNetwork.id}`),
    "effect",
    ({ foreignNetwork }) => hidden(`network ${foreignNetwork.id} not found`),
  ],
  [
    "to join somebody's network",
    "the services there",
    ({ foreignNetwork, mine }) =>
      withJson("POST", `/v1.41/networks/${foreignNetwork.id}/connect`, {
        Container: mine.id,
        EndpointConfig: { Aliases: ["store"] },
      }),
  ],
  [
    "to put somebody's container into the sandboxes' network",
    "its service, from a sandbox",
    ({ network, foreign }) => withJson("POST", `/v1.41/networks/${network.id}/connect`, { Container: foreign.id }),
  ],
  [
    "to cut somebody's container off",
    "its service ends",
    ({ foreignNetwork, foreign }) =>
      withJson("POST", `/v1.41/networks/${foreignNetwork.id}/disconnect`, { Container: foreign.id, Force: true }),
  ],
  [
    "to remove the sandboxes' network",
    "nobody can start a sandbox any more",
    ({ network }) => plain("DELETE", `/v1.41/networks/${network.id}`),
    { none: "a sandbox is in it" },
  ],
  [
    "to remove every unused network",
    "what others need next is gone",
    post("/networks/prune"),
    { unsafe: "it would remove networks of others" },
  ],
  [
    "to read about somebody's volume",
    "its directory on the host",
    ({ foreignVolume }) => plain("GET", `/v1.41/volumes/${foreignVolume}`),
    "answer",
    ({ foreignVolume }) => hidden(`get ${foreignVolume}: no such volume`),
  ],
  [
    "to remove somebody's volume",
    "its data",
    ({ foreignBindVolume }) => plain("DELETE", `/v1.41/volumes/${foreignBindVolume}?force=1`),
  ],
  [
    "to remove every unused volume",
    "the data of others",
    post("/volumes/prune"),
    { unsafe: "it would remove volumes of others" },
  ],
  ["to change a cluster volume", "the data of others", () => withJson("PUT", "/v1.42/volumes/x", {}), notThere],
  ["to read the engine's own state", "its memory, by a debugger", get("/debug/vars"), notThere],
  ["to read a profile of the engine", "its memory", () => plain("GET", "/debug/pprof/heap"), notThere],
  ["to read the engine's figures", "what it does", () => plain("GET", "/metrics"), notThere],
  [
    "to list containers by libpod",
    "Podman's own interface at the same socket",
    () => plain("GET", "/v4.0.0/libpod/containers/json"),
    notThere,
  ],
  [
    "to make a container by libpod",
    "fields that only Podman knows, past this model",
    () => withJson("POST", "/libpod/containers/create", { image: "x", privileged: true }),
    notThere,
  ],
  [
    "to play a pod by libpod",
    "a whole description of pods",
    () => ({
      method: "POST",
      target: "/v4.0.0/libpod/play/kube",
      headers: [["Content-Type", "application/yaml"]],
      body: "kind: Pod\n",
    }),
    notThere,
  ],
  [
    "to find the options of a route",
    "what else there is",
    () => plain("OPTIONS", "/v1.41/containers/json"),
    "answer",
    () => refused("framing."),
  ],
  [
    "to be shown its own request",
    "what stands between the client and the engine",
    () => plain("TRACE", "/v1.41/containers/json"),
    { none: "engine 20.10 has no such method" },
    () => refused(""),
  ],
  [
    "to change something by PATCH",
    "a method that is checked nowhere",
    () => withJson("PATCH", "/v1.41/containers/x", {}),
    { none: "engine 20.10 has no such method" },
    () => refused(""),
  ],
  [
    "to be a proxy to another server",
    "connections from the host's own network",
    ({ port }) => ({ method: "CONNECT", target: `127.0.0.1:${port}`, headers: [["Host", `127.0.0.1:${port}`]] }),
    notThere,
    () => refused(""),
  ],
  [
    "to use a method of its own",
    "a method that is checked nowhere",
    () => plain("PROPFIND", "/v1.41/containers/json"),
    { none: "engine 20.10 has no such method" },
    () => refused(""),
  ],
  ["to ask for what nobody has", "a route that the next engine has", post("/future/create", {}), notThere],
];

/** Routes and methods that no sandbox needs: what the table of routes does not name is refused. */
export const familyEscapes: Table = (world) =>
  rows.map(
    ([tries, why, request, unguarded = "effect", expect = () => refused("route.")]): Escape => ({
      class: "families",
      tries,
      why,
      request: request(world),
      expect: expect(world),
      unguarded,
    }),
  );
