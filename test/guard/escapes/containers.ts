import { isAtLeast } from "../../../src/guard/request/api-version.ts";
import { type Escape, hidden, plain, refused, type Table, type Unguarded, withJson } from "./escape.ts";
import type { Named, World } from "./world.ts";

/** What is asked of a container of somebody else; with a rule it is refused whatever it is asked of. */
type Action = readonly [
  tries: string,
  why: string,
  method: string,
  path: string,
  body?: unknown,
  rule?: string | undefined,
  unguarded?: Unguarded,
];

const notStarted: Unguarded = { none: "the container runs already, so nothing changes" };

const actions: readonly Action[] = [
  ["inspect", "its variables and its secrets", "GET", "/json"],
  ["inspect with sizes", "its variables and its secrets", "GET", "/json?size=1"],
  ["read the output of", "what it printed", "GET", "/logs?stdout=1&stderr=1"],
  ["list the programs of", "their arguments", "GET", "/top", undefined, undefined, "answer"],
  ["read the figures of", "what it does and when", "GET", "/stats?stream=0", undefined, undefined, "answer"],
  ["list the changed files of", "what it keeps", "GET", "/changes", undefined, "route.", "answer"],
  ["export the files of", "everything it keeps", "GET", "/export", undefined, "route."],
  ["copy a file out of", "any file in it", "GET", "/archive?path=/canary"],
  ["look at a file of", "whether it is there", "HEAD", "/archive?path=/canary", undefined, undefined, "answer"],
  ["stop", "somebody's service ends", "POST", "/stop?t=0"],
  ["kill", "somebody's service ends", "POST", "/kill"],
  ["send a signal to", "somebody's program does what it is told", "POST", "/kill?signal=SIGKILL"],
  ["restart", "somebody's service is interrupted", "POST", "/restart?t=0"],
  ["start", "somebody's program runs again", "POST", "/start", undefined, undefined, notStarted],
  ["pause", "somebody's service hangs", "POST", "/pause"],
  [
    "unpause",
    "what somebody held runs on",
    "POST",
    "/unpause",
    undefined,
    undefined,
    { none: "the container is not paused" },
  ],
  ["rename", "other names lead to it, or nowhere", "POST", "/rename?name=sandbox-stolen", undefined, "route."],
  [
    "change the limits of",
    "a container that the machine restarts for ever",
    "POST",
    "/update",
    { RestartPolicy: { Name: "always" } },
    "route.",
  ],
  ["remove", "somebody's service and its data", "DELETE", "?force=1"],
  ["remove with its volumes", "somebody's data", "DELETE", "?force=1&v=1"],
  [
    "remove a link of",
    "other names lead nowhere",
    "DELETE",
    "?link=1",
    undefined,
    "query.",
    { none: "the container has no link" },
  ],
  [
    "run a command in",
    "a shell in somebody's service",
    "POST",
    "/exec",
    { Cmd: ["cat", "/canary"], AttachStdout: true },
  ],
  ["attach to", "reads and writes for its program", "POST", "/attach?stream=1&stdout=1&logs=1"],
  [
    "attach by a websocket to",
    "reads and writes for its program",
    "GET",
    "/attach/ws?stream=1&stdout=1&logs=1",
    undefined,
    "route.",
    { none: "it wants the headers of a websocket" },
  ],
  ["wait for", "when it ends", "POST", "/wait", undefined, undefined, { none: "the container goes on" }],
  [
    "resize the terminal of",
    "disturbs its program",
    "POST",
    "/resize?h=1&w=1",
    undefined,
    undefined,
    { none: "the container has no terminal" },
  ],
  [
    "put a checkpoint of",
    "its memory",
    "POST",
    "/checkpoints",
    { CheckpointID: "x", CheckpointDir: "/tmp" },
    "route.",
    { none: "engine 20.10 has checkpoints only among its experiments" },
  ],
];

const named: readonly (readonly [how: string, reference: (foreign: Named) => string])[] = [
  ["by its name", ({ name }) => name],
  ["by the beginning of its id", ({ id }) => id.slice(0, 12)],
];

/** The actions that are tried by every kind of name; one of each kind does for the others. */
function byEveryName(all: readonly Action[]): readonly Action[] {
  const tried = ["inspect", "read the output of", "kill", "remove", "run a command in"];
  return all.filter(([tries]) => tried.includes(tries));
}

/** Containers and commands of others: what is not ours is answered as what does not exist, by whatever name. */
export const containerEscapes: Table = (world) => [
  ...actions.map((action) => onForeign(world, action, "by its id", world.foreign.id)),
  ...named.flatMap(([how, reference]) =>
    byEveryName(actions).map((action) => onForeign(world, action, how, reference(world.foreign))),
  ),
];

function onForeign(
  { apiVersion }: World,
  [tries, why, method, path, body, rule, unguarded = "effect"]: Action,
  how: string,
  reference: string,
): Escape {
  const target = `/v1.41/containers/${reference}${path}`;
  const missing = `No such container: ${reference}`;
  const kill = isAtLeast(apiVersion, "1.45") ? "cannot kill" : "Cannot kill";
  const text = path.startsWith("/kill") ? `${kill} container: ${reference}: ${missing}` : missing;
  return {
    class: "containers",
    tries: `to ${tries} somebody's container, ${how}${path === "/kill?signal=SIGKILL" ? ", with a signal" : ""}`,
    why,
    request: body === undefined ? plain(method, target) : withJson(method, target, body),
    expect: rule === undefined ? hidden(text) : refused(rule),
    unguarded,
  };
}
