import { gzipSync } from "node:zlib";
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

type Headers = readonly (readonly [name: string, value: string])[];
type Row = readonly [
  tries: string,
  why: string,
  request: (world: World) => RawRequest,
  expect: (world: World) => Expectation,
  unguarded?: Unguarded,
];

const json = ["Content-Type", "application/json"] as const;
const privileged =
  (...headers: Headers) =>
  (world: World) =>
    create(world, { host: { Privileged: true }, headers: [json, ...headers] });
const listing =
  (...headers: Headers) =>
  () => ({ method: "GET", target: "/v1.41/containers/json?all=1", headers });
const framing = () => refused("framing.", 400);
const noEffect: Unguarded = { none: "engine 20.10 does not look at it" };
const refusedByEngine: Unguarded = { none: "engine 20.10 refuses it" };

/** A request whose headers are not sent on at all. */
const listed = ({ run }: World): Expectation => ({
  kind: "narrowed",
  method: "GET",
  path: "/v1.41/containers/json",
  query: { all: "1", filters: { label: { [`sandbox-deploy.guard=escape-${run}`]: true } } },
});

const rows: readonly Row[] = [
  [
    "to create behind an upgrade",
    "a second way into the program: the engine serves it as an ordinary request",
    privileged(["Upgrade", "tcp"], ["Connection", "Upgrade"]),
    framing,
  ],
  [
    "to list behind an upgrade",
    "a second way into the program: the engine serves it as an ordinary request",
    listing(["Upgrade", "tcp"], ["Connection", "Upgrade"]),
    framing,
  ],
  [
    "to upgrade to another protocol",
    "whatever it means, nobody reads it",
    listing(
      ["Upgrade", "h2c"],
      ["Connection", "Upgrade, HTTP2-Settings"],
      ["HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"],
    ),
    framing,
  ],
  [
    "to upgrade to a websocket",
    "whatever it means, nobody reads it",
    listing(
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
      ["Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="],
      ["Sec-WebSocket-Version", "13"],
    ),
    framing,
  ],
  [
    "to upgrade without saying so in Connection",
    "an upgrade to the engine, a request to others",
    listing(["Upgrade", "tcp"]),
    framing,
  ],
  [
    "to say so in Connection without an upgrade",
    "an upgrade to others, a request to the engine",
    listing(["Connection", "Upgrade"]),
    framing,
    "effect",
  ],
  [
    "to name two protocols",
    "one reader takes the first, another the last",
    listing(["Upgrade", "tcp, h2c"], ["Connection", "Upgrade"]),
    framing,
  ],
  [
    "to send Upgrade twice",
    "one reader takes the first, another the last",
    listing(["Upgrade", "tcp"], ["Upgrade", "h2c"], ["Connection", "Upgrade"]),
    framing,
  ],
  [
    "to send a compressed body",
    "what is checked is not what is unpacked",
    (world) => ({
      ...create(world),
      headers: [json, ["Content-Encoding", "gzip"]],
      body: gzipSync(JSON.stringify(createBody(world, { host: { Privileged: true } }))),
    }),
    framing,
    refusedByEngine,
  ],
  [
    "to say that a plain body is compressed",
    "readers that unpack see another body",
    privileged(["Content-Encoding", "identity"]),
    framing,
  ],
  [
    "to have the body wait for a permission",
    "the engine answers before the body is there",
    privileged(["Expect", "100-continue"]),
    framing,
  ],
  [
    "to expect something else",
    "readers differ in what they do",
    privileged(["Expect", "200-ok"]),
    framing,
    refusedByEngine,
  ],
  [
    "to give credentials for a registry",
    "whose, and for which one",
    ({ port }) => ({
      method: "POST",
      target: `/v1.41/images/create?fromImage=127.0.0.1%3A${port}%2Fx&tag=1`,
      headers: [["X-Registry-Auth", Buffer.from(`{"serveraddress":"127.0.0.1:${port}"}`).toString("base64url")]],
    }),
    () => refused("image."),
  ],
  [
    "to give a configuration of registries",
    "credentials that a build sends anywhere",
    listing(["X-Registry-Config", "e30="]),
    listed,
  ],
  ["to name another host", "rules for another name", listing(["Host", "evil.example"]), listed],
  [
    "to send Host twice",
    "one reader takes the first, another the last",
    listing(["Host", "docker"], ["Host", "evil"]),
    () => refused("", 400),
    refusedByEngine,
  ],
  [
    "to say where the request comes from",
    "rules for another client",
    listing(["X-Forwarded-For", "127.0.0.1"], ["Forwarded", "for=127.0.0.1"]),
    listed,
  ],
  [
    "to override the method",
    "frameworks that obey it",
    (world) => ({
      method: "GET",
      target: `/v1.41/containers/${world.mine.id}/json`,
      headers: [["X-HTTP-Method-Override", "DELETE"]],
    }),
    framing,
    noEffect,
  ],
  [
    "to override the address",
    "proxies that obey it",
    listing(["X-Original-URL", "/v1.41/info"], ["X-Rewrite-URL", "/v1.41/info"]),
    listed,
  ],
  [
    "to keep a header from being sent on",
    "a proxy that drops what Connection names drops a length",
    listing(["Connection", "close, Content-Length"]),
    listed,
  ],
  [
    "to pass for the guard itself",
    "a question of the guard's own is not judged",
    ({ foreign }) => ({
      method: "GET",
      target: `/v1.41/containers/${foreign.id}/json`,
      headers: [["User-Agent", "sandbox-deploy-guard (question)"]],
    }),
    ({ foreign }) => ({ kind: "said", status: 404, message: `No such container: ${foreign.id}` }),
  ],
  [
    "to write a header with a space before its colon",
    "a header to one reader, nothing to another",
    listing(["Content-Length ", "0"]),
    () => refused("", 400),
    refusedByEngine,
  ],
  [
    "to write a header with a line end",
    "two headers to one reader",
    listing(["X-A", "b\nX-C: d"]),
    () => refused("", 400),
    "effect",
  ],
  [
    "to write a header with a NUL",
    "programs in C end the text there",
    listing(["X-A", "b\u0000c"]),
    () => refused("", 400),
    refusedByEngine,
  ],
  [
    "to write an empty header name",
    "readers differ in what it is",
    listing(["", "x"]),
    () => refused("", 400),
    "effect",
  ],
  [
    "to write a header that folds into the next line",
    "one value to old readers, two headers to others",
    listing(["X-A", "b\r\n Transfer-Encoding: chunked"]),
    () => refused("", 400),
    "effect",
  ],
  [
    "to send headers of 100,000 bytes",
    "a reader that keeps them all",
    listing(["X-A", "b".repeat(100_000)]),
    () => refused("", 431),
    "effect",
  ],
  [
    "to send 5,000 headers",
    "a reader that keeps them all",
    listing(...Array.from({ length: 5000 }, (_, at) => [`X-${at}`, ""] as const)),
    () => refused("", 431),
    "effect",
  ],
  [
    "to send a body with a GET",
    "a body that one reader leaves for the next request",
    () => ({ ...plain("GET", "/v1.41/containers/json?all=1"), body: "GET /v1.41/info HTTP/1.1\r\nHost: x\r\n\r\n" }),
    () => refused("", 400),
  ],
  [
    "to send a body with a DELETE",
    "a body that one reader leaves for the next request",
    ({ mine }) => ({ ...plain("DELETE", `/v1.41/containers/${mine.id}?force=1`), body: "{}" }),
    () => refused("", 400),
  ],
];

/** Headers that change what a request is; those that are not known are not sent on. */
export const headerEscapes: Table = (world) =>
  rows.map(
    ([tries, why, request, expect, unguarded = "effect"]): Escape => ({
      class: "headers",
      tries,
      why,
      request: request(world),
      expect: expect(world),
      unguarded,
    }),
  );
