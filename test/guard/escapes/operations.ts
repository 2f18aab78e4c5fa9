import { type Escape, plain, refused, type Table, type Unguarded, withJson } from "./escape.ts";
import type { RawRequest } from "./raw-client.ts";
import type { World } from "./world.ts";

type Row = readonly [
  tries: string,
  why: string,
  rule: string,
  request: (world: World) => RawRequest,
  unguarded?: Unguarded,
];

const onMine =
  (method: string, path: string, body?: unknown) =>
  ({ mine }: World) =>
    body === undefined
      ? plain(method, `/v1.41/containers/${mine.id}${path}`)
      : withJson(method, `/v1.41/containers/${mine.id}${path}`, body);
const noTerminal: Unguarded = { none: "there is no terminal" };

const rows: readonly Row[] = [
  [
    "to prepare a command in a sandbox",
    "code in a sandbox that somebody else started",
    "route.exec-off",
    onMine("POST", "/exec", { Cmd: ["true"] }),
  ],
  [
    "to start a command",
    "code in a sandbox that somebody else started",
    "route.exec-off",
    ({ foreignExec }) => withJson("POST", `/v1.41/exec/${foreignExec}/start`, { Detach: true }),
  ],
  [
    "to read about a command",
    "its arguments",
    "route.exec-off",
    ({ foreignExec }) => plain("GET", `/v1.41/exec/${foreignExec}/json`),
  ],
  [
    "to resize the terminal of a command",
    "disturbs its program",
    "route.exec-off",
    ({ foreignExec }) => plain("POST", `/v1.41/exec/${foreignExec}/resize?h=1&w=1`),
    noTerminal,
  ],
  [
    "to attach to a sandbox",
    "reads and writes for its program",
    "route.attach-off",
    onMine("POST", "/attach?stream=1&stdout=1"),
    "answer",
  ],
  [
    "to pull the allowed image",
    "another content under the allowed name",
    "route.pull-off",
    ({ image }) => plain("POST", `/v1.41/images/create?fromImage=${image.reference.replace(":", "&tag=")}`),
    { none: "no registry answers the machine under test" },
  ],
  ["to pause a sandbox", "a sandbox that hangs", "route.pause-off", onMine("POST", "/pause")],
  [
    "to unpause a sandbox",
    "what somebody held runs on",
    "route.pause-off",
    onMine("POST", "/unpause"),
    { none: "the sandbox is not paused" },
  ],
  [
    "to copy a file out of a sandbox",
    "its data",
    "route.archive-off",
    onMine("GET", "/archive?path=/bin/busybox"),
    "answer",
  ],
  [
    "to look at a file in a sandbox",
    "whether it is there",
    "route.archive-off",
    onMine("HEAD", "/archive?path=/bin/busybox"),
    "answer",
  ],
  [
    "to copy a file into a sandbox",
    "its programs run what it is given",
    "route.archive-off",
    ({ mine }) => ({
      method: "PUT",
      target: `/v1.41/containers/${mine.id}/archive?path=/`,
      headers: [["Content-Type", "application/x-tar"]],
      body: Buffer.alloc(1024),
    }),
    { none: "the file system of the sandbox is read-only" },
  ],
  [
    "to watch events",
    "who starts what and when",
    "route.events-off",
    () => plain("GET", "/v1.41/events?since=1&until=2"),
    "answer",
  ],
];

/** Operations that a policy leaves switched off, asked of our own things: the narrow policy refuses each. */
export const operationEscapes: Table = (world) =>
  rows.map(
    ([tries, why, rule, request, unguarded = "effect"]): Escape => ({
      class: "operations",
      tries: `${tries}, switched off`,
      why,
      request: request(world),
      expect: refused(rule),
      unguarded,
      policy: "narrow",
    }),
  );
