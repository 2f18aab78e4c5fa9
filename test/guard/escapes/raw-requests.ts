import { createBody } from "./escape.ts";
import type { World } from "./world.ts";

/** Bytes that one reader takes for another request, or for another number of requests, than the next. */
export interface RawCase {
  readonly name: string;
  readonly bytes: string;
  /** The status of each answer, in order. */
  readonly answers: readonly number[];
  /** What the engine gets for the client; usually nothing. */
  readonly sent?: readonly string[];
}

/** The pieces that raw requests are made of. */
export interface Pieces {
  /** A create request within the policy: its head with these headers in place of a length. */
  readonly head: (...headers: readonly string[]) => string;
  readonly good: string;
  /** A whole request for a privileged container, which any reader that is led astray sends on. */
  readonly evil: string;
  readonly evilBody: string;
  /** What the engine gets for the good one. */
  readonly created: string;
}

/** Lines with the line ends of HTTP, and the empty line behind them. */
export function head(...lines: readonly string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** The pieces in a world. */
export function pieces(world: World): Pieces {
  const target = `/v1.41/containers/create?name=${world.names.escape}`;
  const line = `POST ${target} HTTP/1.1`;
  const json = "Content-Type: application/json";
  const evilBody = JSON.stringify(createBody(world, { host: { Privileged: true } }));
  return {
    head: (...headers) => head(line, "Host: x", json, ...headers, "Connection: close"),
    good: JSON.stringify(createBody(world)),
    evil: head(line, "Host: x", json, `Content-Length: ${evilBody.length}`, "Connection: close") + evilBody,
    evilBody,
    created: `POST ${target}`,
  };
}

/** Lengths of a body that two readers understand differently. */
export function lengthCases({ head: start, good, evil }: Pieces): readonly RawCase[] {
  const refused = (name: string, bytes: string): RawCase => ({ name, bytes, answers: [400] });
  const length = (text: string) => start(`Content-Length: ${text}`) + good;
  return [
    refused(
      "two lengths that are the same",
      start(`Content-Length: ${good.length}`, `Content-Length: ${good.length}`) + good,
    ),
    refused("two lengths that differ", start("Content-Length: 0", `Content-Length: ${evil.length}`) + evil),
    refused("two lengths in one header", length(`${good.length}, ${good.length}`)),
    refused("a length with a plus", length(`+${good.length}`)),
    refused("a negative length", length("-1")),
    refused("a length in hexadecimal", length(`0x${good.length.toString(16)}`)),
    refused("a length with an exponent", length("1e2")),
    refused("a length with a fraction", length(`${good.length}.0`)),
    refused("an empty length", length("")),
    {
      name: "a length that overflows",
      bytes: length(`1844674407370955${String(good.length).padStart(4, "0")}`),
      answers: [413],
    },
    refused("a length that is a word", length("many")),
    refused("a length with a space in it", length("1 0")),
    refused("a length with a tab before a second number", length(`0\t${good.length}`)),
    refused("a length and chunks", start("Content-Length: 0", "Transfer-Encoding: chunked") + `0\r\n\r\n${evil}`),
    refused("chunks and a length", start("Transfer-Encoding: chunked", `Content-Length: ${good.length}`) + good),
    refused("no length for a body that follows", start() + good),
    refused("a body that is shorter than what follows", start("Content-Length: 2") + "{}" + evil),
  ];
}

/** Encodings of a body that two readers understand differently. */
export function encodingCases({ head: start, good, evil, created }: Pieces): readonly RawCase[] {
  const refused = (name: string, bytes: string): RawCase => ({ name, bytes, answers: [400] });
  const encoded = (...headers: readonly string[]) =>
    `${start(...headers)}${good.length.toString(16)}\r\n${good}\r\n0\r\n\r\n`;
  const chunks = (text: string) => start("Transfer-Encoding: chunked") + text;
  const size = good.length.toString(16);
  const names = [
    "xchunked",
    "chunked, identity",
    "identity",
    "gzip, chunked",
    "chunked, chunked",
    "cHuNkEd x",
    '"chunked"',
    "",
  ];
  return [
    ...names.map((name) =>
      refused(`the transfer encoding ${JSON.stringify(name)}`, encoded(`Transfer-Encoding: ${name}`)),
    ),
    refused("two transfer encodings", encoded("Transfer-Encoding: chunked", "Transfer-Encoding: identity")),
    refused("a transfer encoding behind a vertical tab", encoded("Transfer-Encoding: \x0bchunked")),
    refused("a transfer encoding with a space before the colon", encoded("Transfer-Encoding : chunked")),
    refused(
      "a transfer encoding with an underscore and a length",
      start("Transfer_Encoding: chunked", "Content-Length: 5") + `0\r\n\r\n${evil}`,
    ),
    refused("a transfer encoding on a folded line", encoded("X-A: b", " Transfer-Encoding: chunked")),
    refused("a transfer encoding behind a bare line feed", encoded("X-A: b\nTransfer-Encoding: chunked")),
    refused("a chunk whose extension holds a line end", chunks(`${size};a=\n0\r\n\r\n${evil}`)),
    refused("a chunk whose size has a sign", chunks(`+${size}\r\n${good}\r\n0\r\n\r\n`)),
    refused("a chunk whose size is negative", chunks(`-1\r\n${good}\r\n0\r\n\r\n`)),
    refused("a chunk whose size has a prefix", chunks(`0x${size}\r\n${good}\r\n0\r\n\r\n`)),
    refused("a chunk whose size overflows", chunks(`10000000000000002\r\n{}\r\n0\r\n\r\n${evil}`)),
    refused("a chunk whose size ends in a bare line feed", chunks(`${size}\n${good}\r\n0\r\n\r\n`)),
    refused("a chunk that is longer than it says", chunks(`2\r\n${good}\r\n0\r\n\r\n`)),
    refused("a chunk that ends in a bare line feed", chunks(`${size}\r\n${good}\n0\r\n\r\n`)),
    refused("chunks that end in a trailer", chunks(`${size}\r\n${good}\r\n0\r\nContent-Length: 5\r\n\r\n`)),
    {
      name: "a chunk with an extension, which means nothing",
      bytes: chunks(`${size};a=b\r\n${good}\r\n0\r\n\r\n`),
      answers: [201],
      sent: [created],
    },
    {
      name: "chunks of one byte each, which are the whole",
      bytes: chunks(`${[...good].map((byte) => `1\r\n${byte}\r\n`).join("")}0\r\n\r\n`),
      answers: [201],
      sent: [created],
    },
  ];
}

/** Lines of a head that two readers understand differently. */
export function lineCases(owner: string, { evil, evilBody }: Pieces): readonly RawCase[] {
  const list = "GET /v1.41/containers/json?all=1 HTTP/1.1";
  const refused = (name: string, bytes: string): RawCase => ({ name, bytes, answers: [400] });
  const last = "Connection: close";
  const filters = encodeURIComponent(JSON.stringify({ label: { [`sandbox-deploy.guard=${owner}`]: true } }));
  const sent = [`GET /v1.41/containers/json?all=1&filters=${filters}`];
  const withLine = (line: string) => head(list, "Host: x", line, "Connection: close");
  return [
    refused("a head with bare line feeds", evil.replaceAll("\r\n", "\n")),
    refused("a head with bare carriage returns", evil.replaceAll("\r\n", "\r")),
    refused("a header that folds into the next line", withLine("X-A: b\r\n c")),
    refused("a first header that begins with a space", head(list, " X-A: b", "Connection: close")),
    refused("a header without a colon", withLine("X-A")),
    refused("a header with a space in its name", withLine("X A: b")),
    refused("a header with a NUL", withLine("X-A: b\0c")),
    refused("a header whose name is not ASCII", withLine("X-\u00c4: b")),
    refused("a header with a carriage return in it", withLine("X-A: b\rc")),
    refused("a request line with a tab", head(list.replace(" /", "\t/"), "Host: x")),
    // The parser takes both for what they can only mean, and the guard writes a line of its own.
    {
      name: "a request line with two spaces",
      bytes: head(list.replace(" /", "  /"), "Host: x", last),
      answers: [200],
      sent,
    },
    { name: "another protocol", bytes: head(list.replace("HTTP", "RTSP"), "Host: x", last), answers: [200], sent },
    refused("a request line with a word behind the version", head(`${list} x`, "Host: x")),
    refused("a request line without a version", "GET /v1.41/containers/json?all=1\r\n\r\n"),
    refused("a request line in small letters", head(list.replace("GET", "get"), "Host: x")),
    refused("HTTP/0.9", head(list.replace("1.1", "0.9"), "Host: x")),
    refused("HTTP/1.0, which has no chunks", head(list.replace("1.1", "1.0"), "Host: x")),
    refused("HTTP/1.2", head(list.replace("1.1", "1.2"), "Host: x")),
    refused("HTTP/2 without asking", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    refused("the beginning of TLS", "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03"),
    refused("an answer in place of a request", head("HTTP/1.1 200 OK", "Content-Length: 0")),
    refused("a body before any head", `${evilBody}\r\n\r\n`),
    refused("a number of bytes that are none of these", "\0\0\0\0\r\n\r\n"),
  ];
}

/** Requests behind requests: each is one of its own, or none at all. */
export function pipelineCases(world: World, { head: start, good, evil, created }: Pieces): readonly RawCase[] {
  const ping = head("GET /_ping HTTP/1.1", "Host: x");
  const inspect = (name: string, ...headers: readonly string[]) =>
    head(`GET /v1.41/containers/${name}/json HTTP/1.1`, "Host: x", ...headers);
  const raw = (path: string, ...headers: readonly string[]) =>
    head(`POST /v1.41${path} HTTP/1.1`, "Host: x", "Connection: Upgrade", "Upgrade: tcp", ...headers);
  const start41 = JSON.stringify({ Detach: false, Tty: false });
  const exec = (id: string) =>
    `${raw(`/exec/${id}/start`, "Content-Type: application/json", `Content-Length: ${start41.length}`)}${start41}`;
  const pinged = "GET /v1.41/_ping";
  return [
    { name: "a refused request behind an allowed one", bytes: ping + evil, answers: [200, 403], sent: [pinged] },
    {
      name: "an allowed request behind a refused one",
      bytes: inspect(world.foreign.name) + start(`Content-Length: ${good.length}`) + good,
      answers: [404, 201],
      sent: [created],
    },
    {
      name: "a request in the body of a refused one",
      bytes: `${head("POST /v1.41/volumes/create HTTP/1.1", "Host: x", `Content-Length: ${evil.length}`)}${evil}${inspect(world.foreign.name, "Connection: close")}`,
      answers: [403, 404],
    },
    {
      name: "a request in the body of a GET",
      bytes: `${inspect(world.mine.name, `Content-Length: ${evil.length}`)}${evil}${inspect(world.foreign.name, "Connection: close")}`,
      answers: [400],
    },
    {
      name: "a request behind one that says it is the last",
      bytes: `${inspect(world.foreign.name, "Connection: close")}${evil}`,
      answers: [400],
    },
    { name: "a request behind an upgrade of a foreign exec", bytes: exec(world.foreignExec) + evil, answers: [404] },
    {
      name: "a request behind an upgrade of a foreign container",
      bytes: raw(`/containers/${world.foreign.id}/attach?stream=1&stdin=1`) + evil,
      answers: [404],
    },
    { name: "a request behind an upgrade of what takes none", bytes: raw("/containers/create") + evil, answers: [400] },
    {
      name: "a request behind an upgrade whose body is in chunks",
      bytes: `${raw(`/exec/${world.foreignExec}/start`, "Transfer-Encoding: chunked")}0\r\n\r\n${evil}`,
      answers: [400],
    },
    {
      name: "a request behind a CONNECT",
      bytes: `${head("CONNECT docker:80 HTTP/1.1", "Host: docker")}${evil}`,
      answers: [400],
    },
    {
      name: "a request behind an Expect",
      bytes: `${head("POST /v1.41/containers/create HTTP/1.1", "Host: x", "Expect: 100-continue", `Content-Length: ${good.length}`)}${evil}`,
      answers: [400],
    },
    { name: "an empty line before a request", bytes: `\r\n\r\n${evil}`, answers: [403] },
  ];
}
