import { deny } from "../decision/body-decision.ts";
import type { Policy } from "../policy/policy.ts";
import type { Method } from "./framing.ts";
import {
  choice,
  containerFilters,
  detachKeys,
  eventFilters,
  flag,
  ignored,
  imageFilters,
  integer,
  platform,
  signal,
  size,
  stopping,
  streams,
  text,
  time,
  unset,
} from "./parameters.ts";
import type { QueryModel } from "./query.ts";
import { quoted, type Reading, read } from "./reading.ts";

/** One operation of the engine's API that may go through, and everything that it may carry. */
export interface Route {
  readonly name: string;
  readonly methods: readonly Method[];
  /** `{x}` is one part of the path, `{x...}` may have slashes in it. */
  readonly path: string;
  /** What the path names, which decides how the request is judged. */
  readonly about:
    | "engine"
    | "info"
    | "containers"
    | "create"
    | "container"
    | "exec"
    | "images"
    | "image"
    | "pull"
    | "events"
    | "network"
    | "volume"
    | "plugin";
  /** The family that a policy has to switch on. */
  readonly group?: keyof Policy["operations"];
  readonly query: QueryModel;
  readonly body: "none" | "create" | "exec" | "exec-start" | "archive";
  /** `raw`: a raw connection if the client asks for one, and a download if not. */
  readonly stream: "none" | "download" | "raw";
  /** Whether the container is held against the policy once more, because the request makes something run in it. */
  readonly judged?: true;
}

const none = { query: {}, body: "none", stream: "none" } as const;
const get = { ...none, methods: ["GET"] } as const;
const post = { ...none, methods: ["POST"] } as const;
const onContainer = { ...post, about: "container" } as const;
const ofContainer = { ...get, about: "container" } as const;

/**
 * All that goes through. What is not here is refused: among it building, importing and tagging images, networks,
 * volumes, plugins, swarms, and on containers rename, update, commit, export and prune.
 */
export const routes: readonly Route[] = [
  { ...none, name: "ping", methods: ["GET", "HEAD"], path: "/_ping", about: "engine" },
  { ...get, name: "version", path: "/version", about: "engine" },
  { ...get, name: "info", path: "/info", about: "info" },

  {
    ...get,
    name: "container.list",
    path: "/containers/json",
    about: "containers",
    query: {
      all: flag,
      size: flag,
      limit: integer(-1, 100_000),
      filters: { kind: "filters", names: containerFilters },
      trunc_cmd: ignored,
      since: unset,
      before: unset,
    },
  },
  {
    ...post,
    name: "container.create",
    path: "/containers/create",
    about: "create",
    query: { name: text(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, "a container's name"), platform },
    body: "create",
  },
  // With slashes, because `docker inspect user/image` asks for a container of that name first.
  { ...ofContainer, name: "container.inspect", path: "/containers/{container...}/json", query: { size: flag } },
  {
    ...ofContainer,
    name: "container.logs",
    path: "/containers/{container}/logs",
    query: {
      stdout: flag,
      stderr: flag,
      follow: flag,
      timestamps: flag,
      details: flag,
      since: time,
      until: time,
      tail: text(/^(?:all|-?\d{1,9})$/, "a number of lines, or all"),
    },
    stream: "download",
  },
  // The engine runs `ps` on the host with these arguments and keeps the lines of the container's processes.
  {
    ...ofContainer,
    name: "container.top",
    path: "/containers/{container}/top",
    query: { ps_args: choice("-ef", "aux", "-aux", "auxww") },
  },
  {
    ...ofContainer,
    name: "container.stats",
    path: "/containers/{container}/stats",
    query: { stream: flag, "one-shot": flag },
    stream: "download",
  },
  {
    ...onContainer,
    name: "container.start",
    path: "/containers/{container}/start",
    query: { detachKeys, checkpoint: unset, "checkpoint-dir": unset },
    judged: true,
  },
  { ...onContainer, name: "container.stop", path: "/containers/{container}/stop", query: stopping },
  {
    ...onContainer,
    name: "container.restart",
    path: "/containers/{container}/restart",
    query: stopping,
    judged: true,
  },
  { ...onContainer, name: "container.kill", path: "/containers/{container}/kill", query: { signal } },
  {
    ...onContainer,
    name: "container.wait",
    path: "/containers/{container}/wait",
    query: { condition: choice("not-running", "next-exit", "removed") },
    stream: "download",
  },
  { ...onContainer, name: "container.resize", path: "/containers/{container}/resize", query: size },
  { ...onContainer, name: "container.pause", path: "/containers/{container}/pause", group: "pause" },
  { ...onContainer, name: "container.unpause", path: "/containers/{container}/unpause", group: "pause" },
  {
    ...none,
    name: "container.remove",
    methods: ["DELETE"],
    path: "/containers/{container}",
    about: "container",
    query: { force: flag, v: flag, link: unset },
  },
  {
    ...onContainer,
    name: "container.attach",
    path: "/containers/{container}/attach",
    group: "attach",
    // dockerode's own option, which it sends along.
    query: { ...streams, detachKeys, hijack: ignored },
    stream: "raw",
    judged: true,
  },
  // Engines before 18.09.7 followed symlinks out of a container here while it changed them (CVE-2018-15664).
  {
    ...ofContainer,
    name: "container.archive",
    methods: ["GET", "HEAD"],
    path: "/containers/{container}/archive",
    group: "archive",
    query: { path: text(/^.{1,4096}$/u, "a path in the container") },
    stream: "download",
    judged: true,
  },
  {
    ...ofContainer,
    name: "container.extract",
    methods: ["PUT"],
    path: "/containers/{container}/archive",
    group: "archive",
    query: {
      path: text(/^.{1,4096}$/u, "a path in the container"),
      noOverwriteDirNonDir: flag,
      copyUIDGID: flag,
    },
    body: "archive",
    judged: true,
  },

  {
    ...onContainer,
    name: "exec.create",
    path: "/containers/{container}/exec",
    group: "exec",
    body: "exec",
    judged: true,
  },
  {
    ...post,
    name: "exec.start",
    path: "/exec/{exec}/start",
    about: "exec",
    group: "exec",
    body: "exec-start",
    stream: "raw",
    judged: true,
  },
  { ...post, name: "exec.resize", path: "/exec/{exec}/resize", about: "exec", group: "exec", query: size },
  { ...get, name: "exec.inspect", path: "/exec/{exec}/json", about: "exec", group: "exec" },

  {
    ...get,
    name: "image.list",
    path: "/images/json",
    about: "images",
    query: {
      all: flag,
      digests: flag,
      "shared-size": flag,
      manifests: flag,
      filters: { kind: "filters", names: imageFilters },
      only_ids: ignored,
      filter: unset,
    },
  },
  { ...get, name: "image.inspect", path: "/images/{image...}/json", about: "image", query: { manifests: flag } },
  {
    ...post,
    name: "image.pull",
    path: "/images/create",
    about: "pull",
    group: "pull",
    query: {
      fromImage: text(/^[A-Za-z0-9_./:@-]{1,400}$/, "a reference to an image"),
      tag: text(/^[A-Za-z0-9_.:-]{1,128}$/, "a tag or a digest"),
      platform,
      fromSrc: unset,
      repo: unset,
      message: unset,
      changes: unset,
    },
    stream: "download",
  },

  {
    ...get,
    name: "event.stream",
    path: "/events",
    about: "events",
    group: "events",
    query: { since: time, until: time, filters: { kind: "filters", names: eventFilters } },
    stream: "download",
  },

  // `docker inspect` asks for these in turn when there is no container of that name.
  {
    ...get,
    name: "network.inspect",
    path: "/networks/{network...}",
    about: "network",
    query: { scope: ignored, verbose: ignored },
  },
  { ...get, name: "volume.inspect", path: "/volumes/{volume...}", about: "volume" },
  { ...get, name: "plugin.inspect", path: "/plugins/{plugin...}/json", about: "plugin" },
];

/** A route and the one thing that its path names; an empty text where it names nothing. */
export interface Match {
  readonly route: Route;
  readonly reference: string;
}

const compiled = routes.map((route) => ({
  route,
  pattern: new RegExp(`^${route.path.replace(/\{\w+(\.\.\.)?\}/, (_, rest) => (rest ? "(.+)" : "([^/]+)"))}$`),
}));

/** The route of a request, if there is one: by method and the whole path. */
export function findRoute(method: Method, path: string): Reading<Match> {
  for (const { route, pattern } of compiled) {
    const found = route.methods.includes(method) ? pattern.exec(path) : null;
    if (found !== null) return read({ route, reference: found[1] ?? "" });
  }
  return deny("route.unknown", `${method} ${quoted(path)} is no operation on sandboxes`);
}
