import { deny } from "../decision/body-decision.ts";
import type { ClientRequest, EngineRequest } from "../decision/decision.ts";
import { malformed, quoted, type Reading, read } from "./reading.ts";

/** A method that the engine's API has. */
export type Method = EngineRequest["method"];

/** How a request is framed, once nobody can read it in two ways. */
export interface Frame {
  readonly method: Method;
  /** Whether the client asks for a raw connection in place of an answer. */
  readonly upgrade: boolean;
  /** The media type of the body without parameters, in small letters; undefined: none was named. */
  readonly mediaType: string | undefined;
}

const methods: ReadonlyMap<string, Method> = new Map(
  (["GET", "HEAD", "POST", "DELETE", "PUT"] as const).map((method) => [method, method]),
);

/** Headers that mean something else the second time, to this reader or to another. */
const single = ["host", "content-length", "transfer-encoding", "content-type", "upgrade", "connection"];

/** Headers that ask for something which no client of Docker needs. */
const unwanted: ReadonlyMap<string, string> = new Map([
  ["content-encoding", "an encoded body would not be what was read"],
  ["expect", "the guard reads a request whole before it answers"],
  ["trailer", "headers after the body are not read"],
  ["proxy-connection", "this is no proxy for others"],
  ["http2-settings", "only HTTP/1.1 is spoken"],
  ["x-http-method-override", "a request has one method"],
]);

/**
 * Judges method and headers. None of the client's headers is ever sent on, so a header that is not named here does no
 * harm; those that decide where a request ends must leave no doubt.
 */
export function readFrame(request: ClientRequest): Reading<Frame> {
  const method = methods.get(request.method);
  if (method === undefined) return malformed("framing.method", `the method ${quoted(request.method)} is not used here`);
  const headers = collectHeaders(request.headers);
  if (headers.kind !== "read") return headers;
  const length = judgeLength(headers.value, request.body.length);
  if (length.kind !== "read") return length;
  const upgrade = readUpgrade(headers.value);
  if (upgrade.kind !== "read") return upgrade;
  const mediaType = readMediaType(headers.value, request.body.length);
  if (mediaType.kind !== "read") return mediaType;
  return read({ method, upgrade: upgrade.value, mediaType: mediaType.value });
}

type Headers = ReadonlyMap<string, string>;

function collectHeaders(headers: ClientRequest["headers"]): Reading<Headers> {
  const found = new Map<string, string>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(key) || /[\r\n\0]/.test(value))
      return malformed("framing.header", `the header ${quoted(name)} is not well-formed`);
    const why = unwanted.get(key);
    if (why !== undefined) return malformed(`framing.${key}`, `the header ${name} is not taken: ${why}`);
    if (found.has(key) && single.includes(key))
      return malformed("framing.repeated-header", `the header ${name} stands there twice`);
    found.set(key, value.trim());
  }
  return read(found);
}

/** One length or none: where both are given, two readers disagree about the end of the request. */
function judgeLength(headers: Headers, bytes: number): Reading<undefined> {
  const length = headers.get("content-length");
  const encoding = headers.get("transfer-encoding");
  if (length !== undefined && encoding !== undefined)
    return malformed("framing.both-lengths", "Content-Length and Transfer-Encoding stand side by side");
  if (encoding !== undefined && encoding.toLowerCase() !== "chunked")
    return malformed("framing.transfer-encoding", `the transfer encoding ${quoted(encoding)} is not taken`);
  if (length !== undefined && !/^\d{1,12}$/.test(length))
    return malformed("framing.content-length", `${quoted(length)} is no length`);
  if (encoding === undefined && Number(length ?? 0) !== bytes)
    return malformed("framing.content-length", `the body has ${bytes} bytes, and not ${length ?? "none"}`);
  return read(undefined);
}

/** The engine looks only at `Upgrade`, other readers at both headers: so both or none. */
function readUpgrade(headers: Headers): Reading<boolean> {
  const protocol = headers.get("upgrade");
  const connection = (headers.get("connection") ?? "").toLowerCase().split(/\s*,\s*/);
  const wanted = connection.includes("upgrade");
  if (protocol === undefined && !wanted) return read(false);
  if (protocol?.toLowerCase() !== "tcp" || !wanted)
    return malformed("framing.upgrade", `only an upgrade to tcp is taken, and not to ${quoted(protocol ?? "nothing")}`);
  if (headers.has("transfer-encoding"))
    return malformed("framing.upgrade", "an upgrade needs a Content-Length, or nobody knows where its body ends");
  return read(true);
}

function readMediaType(headers: Headers, bytes: number): Reading<string | undefined> {
  const text = headers.get("content-type");
  if (text === undefined) return read(undefined);
  const [, type = "", charset] = /^([a-z0-9.+/-]+)\s*(?:;\s*charset="?([a-z0-9-]+)"?)?\s*$/i.exec(text) ?? [];
  // Without a body there is nothing to misunderstand; the docker CLI and curl name one all the same.
  if (bytes === 0) return read(undefined);
  if (type === "" || (charset !== undefined && charset.toLowerCase() !== "utf-8"))
    return deny("framing.content-type", `the content type ${quoted(text)} is not taken`, {}, 400);
  // The engine would merge a form into the query, behind the back of whoever judged the query.
  if (type.toLowerCase() === "application/x-www-form-urlencoded")
    return deny("framing.form-body", "a form in place of a body is not taken", {}, 400);
  return read(type.toLowerCase());
}
