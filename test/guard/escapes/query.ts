import {
  create,
  createBody,
  type Escape,
  type Expectation,
  plain,
  refused,
  type Table,
  type Unguarded,
} from "./escape.ts";
import type { RawRequest } from "./raw-client.ts";
import type { World } from "./world.ts";

type Row = readonly [
  tries: string,
  why: string,
  request: (world: World) => RawRequest,
  expect: Expectation,
  unguarded?: Unguarded,
];

const named = (query: (world: World) => string) => (world: World) => create(world, { query: query(world) });
const refusedByEngine: Unguarded = { none: "engine 20.10 refuses it" };
const sameName: Unguarded = { none: "engine 20.10 takes it for the same name" };
const takesOne: Unguarded = { none: "engine 20.10 takes the first" };
const form = [["Content-Type", "application/x-www-form-urlencoded"]] as const;

const rows: readonly Row[] = [
  [
    "to give a name outside of the policy",
    "the name of a service, which others then reach",
    named(({ run }) => `name=escape-${run}-store`),
    refused(""),
  ],
  ["to give no name", "a container that no pattern holds", named(() => ""), refused("")],
  ["to give an empty name", "a container that no pattern holds", named(() => "name="), refused("")],
  [
    "to give a name with a slash before it",
    "the engine takes it off",
    named(({ names }) => `name=/${names.escape}`),
    refused(""),
    sameName,
  ],
  [
    "to give a name with an escaped slash before it",
    "the engine takes it off",
    named(({ names }) => `name=%2F${names.escape}`),
    refused(""),
    sameName,
  ],
  [
    "to give a name with a slash in it",
    "a link of old engines",
    named(({ names, foreign }) => `name=${foreign.name}/${names.escape}`),
    refused(""),
    refusedByEngine,
  ],
  [
    "to give a name with a line end in it",
    "a pattern that looks at lines sees an allowed name",
    named(({ names }) => `name=${names.escape}%0Aevil`),
    refused(""),
    refusedByEngine,
  ],
  [
    "to give a name that begins before an allowed one",
    "a pattern that is not held at both ends",
    named(({ names }) => `name=evil-${names.escape}`),
    refused(""),
  ],
  [
    "to give a name that goes on after an allowed one",
    "a pattern that is not held at both ends",
    named(({ names }) => `name=${names.escape}_evil`),
    refused(""),
  ],
  [
    "to give two names",
    "one reader takes the first, another the last",
    named(({ names, run }) => `name=escape-${run}-store&name=${names.escape}`),
    refused("query."),
  ],
  [
    "to give two names, the allowed one first",
    "one reader takes the first, another the last",
    named(({ names, run }) => `name=${names.escape}&name=escape-${run}-store`),
    refused("query."),
    takesOne,
  ],
  [
    "to give two names with an escaped letter",
    "the same parameter once it is decoded",
    named(({ names, run }) => `nam%65=escape-${run}-store&name=${names.escape}`),
    refused("query."),
  ],
  [
    "to give a name in upper case",
    "another parameter to the engine, the same to others",
    named(({ names, run }) => `Name=escape-${run}-store&name=${names.escape}`),
    refused("query."),
    { none: "engine 20.10 looks at case" },
  ],
  [
    "to divide the query by a semicolon",
    "two parameters to Go before 1.17",
    named(({ names, run }) => `x=1;name=escape-${run}-store&name=${names.escape}`),
    refused("query."),
    { none: "it was built with a later Go" },
  ],
  [
    "to give a parameter with brackets",
    "a list to readers of PHP's kind",
    named(({ names }) => `name=${names.escape}&name[]=evil`),
    refused("query."),
    { none: "engine 20.10 ignores it" },
  ],
  [
    "to give a parameter that nobody knows",
    "a newer engine may",
    named(({ names }) => `name=${names.escape}&future=1`),
    refused("query."),
    { none: "engine 20.10 ignores it" },
  ],
  [
    "to write a broken escape",
    "readers differ in what it is",
    named(({ names }) => `name=${names.escape}%`),
    refused("query."),
    refusedByEngine,
  ],
  [
    "to write a question mark twice",
    "readers differ in where the query begins",
    named(({ names, run }) => `x=1?name=escape-${run}-store&name=${names.escape}`),
    refused("query."),
    { none: "engine 20.10 takes it for a value" },
  ],
  [
    "to write a fragment in the query",
    "one reader cuts it off, another does not",
    named(({ names }) => `name=${names.escape}#evil`),
    refused("query."),
    refusedByEngine,
  ],
  [
    "to write JSON in place of the query's values",
    "a header or a quote to whoever writes it out",
    named(() => "name=%22%7D%2C"),
    refused("query."),
    refusedByEngine,
  ],
  [
    "to remove by a form in the body",
    "a form takes the place of the query",
    ({ mine }) => ({
      method: "POST",
      target: `/v1.41/containers/${mine.id}/kill?signal=SIGCONT`,
      headers: form,
      body: "signal=SIGKILL",
    }),
    refused("framing."),
  ],
  [
    "to kill by a form with parameters in its type",
    "the type is the same",
    ({ mine }) => ({
      method: "POST",
      target: `/v1.41/containers/${mine.id}/kill?signal=SIGCONT`,
      headers: [["Content-Type", "application/x-www-form-urlencoded; charset=utf-8"]],
      body: "signal=SIGKILL",
    }),
    refused("framing."),
  ],
  [
    "to kill by a form in upper case",
    "the type is the same",
    ({ mine }) => ({
      method: "POST",
      target: `/v1.41/containers/${mine.id}/kill?signal=SIGCONT`,
      headers: [["Content-Type", "Application/X-WWW-Form-Urlencoded"]],
      body: "signal=SIGKILL",
    }),
    refused("framing."),
  ],
  [
    "to kill by a form of parts",
    "readers differ in whether it counts",
    ({ mine }) => ({
      method: "POST",
      target: `/v1.41/containers/${mine.id}/kill?signal=SIGCONT`,
      headers: [["Content-Type", "multipart/form-data; boundary=x"]],
      body: '--x\r\nContent-Disposition: form-data; name="signal"\r\n\r\nSIGKILL\r\n--x--\r\n',
    }),
    refused("framing."),
    { none: "engine 20.10 does not read it" },
  ],
  [
    "to create by a form",
    "the name of the form takes the place of the name",
    (world) => ({ ...create(world), headers: form, body: `name=escape-${world.run}-store` }),
    refused("framing."),
    refusedByEngine,
  ],
  [
    "to create by a body of text",
    "a body that is not read as JSON",
    (world) => create(world, { headers: [["Content-Type", "text/plain"]], host: { Privileged: true } }),
    refused("framing."),
    refusedByEngine,
  ],
  [
    "to create by a body without a type",
    "a body that is not read as JSON",
    (world) => create(world, { headers: [], host: { Privileged: true } }),
    refused("framing."),
    refusedByEngine,
  ],
  [
    "to create by a body of another character set",
    "letters that mean something else",
    (world) => ({
      ...create(world),
      headers: [["Content-Type", "application/json; charset=utf-16"]],
      body: Buffer.from(JSON.stringify(createBody(world, { host: { Privileged: true } })), "utf16le"),
    }),
    refused("framing."),
    refusedByEngine,
  ],
  [
    "to create by a GET",
    "a method that is not checked",
    (world) => ({ ...create(world, { host: { Privileged: true } }), method: "GET" }),
    refused("route."),
    refusedByEngine,
  ],
  [
    "to create with another method in a header",
    "frameworks that obey it",
    (world) => ({
      ...create(world, { host: { Privileged: true } }),
      method: "GET",
      headers: [
        ["Content-Type", "application/json"],
        ["X-HTTP-Method-Override", "POST"],
      ],
    }),
    refused(""),
    refusedByEngine,
  ],
  [
    "to send a signal that is none",
    "a word in the place of a number",
    ({ mine }) => plain("POST", `/v1.41/containers/${mine.id}/kill?signal=9%20-1`),
    refused("query."),
    refusedByEngine,
  ],
  [
    "to read a log since a date",
    "a program's own reading of dates",
    ({ mine }) => plain("GET", `/v1.41/containers/${mine.id}/logs?stdout=1&since=now%28%29`),
    refused("query."),
    refusedByEngine,
  ],
];

/** Parameters that another reader finds elsewhere: twice, in the body, in another spelling, or behind a second question mark. */
export const queryEscapes: Table = (world) =>
  rows.map(
    ([tries, why, request, expect, unguarded = "effect"]): Escape => ({
      class: "query",
      tries,
      why,
      request: request(world),
      expect,
      unguarded,
    }),
  );
