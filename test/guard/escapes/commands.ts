import { gzipSync } from "node:zlib";
import {
  type Escape,
  type Expectation,
  hidden,
  plain,
  refused,
  type Table,
  tooOld,
  type Unguarded,
  withJson,
} from "./escape.ts";
import type { RawRequest } from "./raw-client.ts";
import { paxRecord, tarOf } from "./tar.ts";
import type { World } from "./world.ts";

const notStarted: Unguarded = { none: "the container runs already, so nothing changes" };

type Row = readonly [
  tries: string,
  why: string,
  request: (world: World) => RawRequest,
  expect: (world: World) => Expectation,
  unguarded?: Unguarded,
];

const noExec = ({ foreignExec }: World) => hidden(`No such exec instance: ${foreignExec}`);
const route = () => refused("route.");

const execs: readonly Row[] = [
  [
    "to start a command that somebody prepared",
    "runs it and reads what it prints",
    ({ foreignExec }) => withJson("POST", `/v1.41/exec/${foreignExec}/start`, { Detach: false, Tty: false }),
    noExec,
  ],
  [
    "to start a command that somebody prepared, in the background",
    "runs it",
    ({ foreignExec }) => withJson("POST", `/v1.41/exec/${foreignExec}/start`, { Detach: true }),
    noExec,
    "answer",
  ],
  [
    "to read about a command of somebody",
    "its arguments and its container",
    ({ foreignExec }) => plain("GET", `/v1.41/exec/${foreignExec}/json`),
    noExec,
  ],
  [
    "to resize the terminal of somebody's command",
    "disturbs its program",
    ({ foreignExec }) => plain("POST", `/v1.41/exec/${foreignExec}/resize?h=1&w=1`),
    noExec,
    { none: "the command has no terminal" },
  ],
  [
    "to name a command by the beginning of its id",
    "a check that asks otherwise than the engine",
    ({ foreignExec }) => plain("GET", `/v1.41/exec/${foreignExec.slice(0, 12)}/json`),
    ({ foreignExec }) => hidden(`No such exec instance: ${foreignExec.slice(0, 12)}`),
    { none: "engine 20.10 knows commands only by their whole id" },
  ],
  [
    "to name a command by the id of a sandbox",
    "a check that takes one id for another",
    ({ mine }) => plain("GET", `/v1.41/exec/${mine.id}/json`),
    ({ mine }) => hidden(`No such exec instance: ${mine.id}`),
    { none: "there is no such command" },
  ],
];

const exec =
  (parts: Readonly<Record<string, unknown>>) =>
  ({ mine }: World) =>
    withJson("POST", `/v1.41/containers/${mine.id}/exec`, { Cmd: ["true"], ...parts });
const refusedExec = () => refused("");

const extract =
  (body: Uint8Array) =>
  ({ mine }: World): RawRequest => ({
    method: "PUT",
    target: `/v1.41/containers/${mine.id}/archive?path=/mnt/t1`,
    headers: [["Content-Type", "application/x-tar"]],
    body,
  });
const capability = paxRecord("SCHILY.xattr.security.capability", "\x01\0\0\x02\xff\xff\xff\xff\xff\xff\xff\xff");

/** What the engine unpacks as root into a directory of the host that a sandbox has. */
const archives: readonly Row[] = [
  [
    "to unpack a disk's device into a directory of the host",
    "whoever may open it on the host has every file",
    extract(tarOf({ name: "disk", type: "4", mode: "0000666", device: ["376", "0"] })),
    () => refused("archive.kind"),
  ],
  [
    "to unpack a device of characters into a directory of the host",
    "whoever may open it on the host has its memory",
    extract(tarOf({ name: "mem", type: "3", mode: "0000666", device: ["1", "1"] })),
    () => refused("archive.kind"),
  ],
  [
    "to unpack a program of root's into a directory of the host",
    "whoever starts it on the host is root",
    extract(tarOf({ name: "shell", mode: "0004755", content: "#!/bin/sh\n" })),
    () => refused("archive.mode"),
  ],
  [
    "to unpack a program with capabilities into a directory of the host",
    "whoever starts it on the host is as good as root",
    extract(
      tarOf({ name: "x", type: "x", content: Buffer.from(capability, "latin1") }, { name: "shell", mode: "0000755" }),
    ),
    () => refused("archive.record"),
  ],
  [
    "to unpack a compressed archive",
    "a small one fills the disk, and nobody has looked into it",
    extract(gzipSync(tarOf({ name: "disk", type: "4", device: ["376", "0"] }))),
    () => refused("body."),
  ],
  [
    "to unpack a device behind the end of an archive",
    "what is behind the end to one reader is an entry to another",
    extract(Buffer.concat([tarOf(), tarOf({ name: "disk", type: "4", device: ["376", "0"] })])),
    () => refused("body."),
    { none: "engine 20.10 stops at the end" },
  ],
];

const ownOnly: readonly Row[] = [
  [
    "to run a privileged command in a sandbox",
    "every capability and device: root on the host",
    exec({ Privileged: true }),
    refusedExec,
  ],
  [
    "to run a privileged command in a sandbox, spelled otherwise",
    "Go finds the field without regard to case",
    exec({ privileged: true }),
    refusedExec,
  ],
  [
    "to run a privileged command in a sandbox, with a long s",
    "a field that only Go finds",
    exec({ Privileged: false, "privileg\u0065d": true }),
    refusedExec,
  ],
  [
    "to name another container in the body of a command",
    "a check of the path, an engine that reads the body",
    ({ mine, foreign }) =>
      withJson("POST", `/v1.41/containers/${mine.id}/exec`, { Cmd: ["true"], Container: foreign.id }),
    ({ mine }) => ({
      kind: "narrowed",
      method: "POST",
      path: `/v1.41/containers/${mine.id}/exec`,
      query: {},
      body: { Cmd: ["true"] },
    }),
  ],
  [
    "to rename a sandbox",
    "a name outside of the policy, such as that of a service",
    ({ mine, run }) => plain("POST", `/v1.41/containers/${mine.id}/rename?name=escape-${run}-store`),
    route,
  ],
  [
    "to lift the limits of a sandbox",
    "limits that were checked at create",
    ({ mine }) =>
      withJson("POST", `/v1.41/containers/${mine.id}/update`, {
        Memory: 0,
        PidsLimit: -1,
        RestartPolicy: { Name: "always" },
      }),
    route,
  ],
  [
    "to start a sandbox from a checkpoint",
    "memory that nobody checked",
    ({ mine }) => plain("POST", `/v1.41/containers/${mine.id}/start?checkpoint=x&checkpoint-dir=/tmp`),
    () => refused(""),
    { none: "engine 20.10 has checkpoints only among its experiments" },
  ],
  [
    "to start a sandbox with another configuration in the body",
    "before version 1.24 the body was a whole HostConfig",
    ({ mine }) => withJson("POST", `/v1.23/containers/${mine.id}/start`, { Privileged: true }),
    () => tooOld("1.23"),
    notStarted,
  ],
  [
    "to start a sandbox with another configuration in the body, today",
    "an engine that still reads it",
    ({ mine }) => withJson("POST", `/v1.41/containers/${mine.id}/start`, { Binds: ["/:/host"] }),
    () => refused("body."),
    { none: "engine 20.10 refuses it" },
  ],
  [
    "to give arguments of its own to the host's ps",
    "ps runs on the host and may print what the engine takes for its lines",
    ({ mine }) => plain("GET", `/v1.41/containers/${mine.id}/top?ps_args=-eo%20pid,args`),
    () => refused("query."),
    "answer",
  ],
  [
    "to remove every stopped container",
    "those of others",
    () => plain("POST", "/v1.41/containers/prune"),
    route,
    { unsafe: "it would remove containers of others" },
  ],
  [
    "to copy a file into somebody's container",
    "its programs run what it is given",
    ({ foreign }) => ({
      method: "PUT",
      target: `/v1.41/containers/${foreign.id}/archive?path=/`,
      headers: [["Content-Type", "application/x-tar"]],
      body: Buffer.alloc(1024),
    }),
    ({ foreign }) => hidden(`No such container: ${foreign.id}`),
    { none: "the archive is empty" },
  ],
  [
    "to use a name with a slash before it",
    "the engine knows containers by both",
    ({ foreign }) => plain("GET", `/v1.41/containers/${encodeURIComponent("/")}${foreign.name}/json`),
    () => refused("target.", 400),
    { none: "engine 20.10 answers with another address" },
  ],
  [
    "to reach a container by a path below another one",
    "a link of old engines",
    ({ foreign, mine }) => plain("GET", `/v1.41/containers/${mine.name}/${foreign.name}/json`),
    ({ foreign, mine }) => hidden(`No such container: ${mine.name}/${foreign.name}`),
    { none: "there is no such link" },
  ],
];

/** Commands of others, and our own sandboxes asked for more than they were made with. */
export const commandEscapes: Table = (world) =>
  [...execs, ...archives, ...ownOnly].map(
    ([tries, why, request, expect, unguarded = "effect"]): Escape => ({
      class: "containers",
      tries,
      why,
      request: request(world),
      expect: expect(world),
      unguarded,
    }),
  );
