import { deny } from "../decision/body-decision.ts";
import type { ArchiveBody } from "../decision/decision.ts";
import { readTar } from "./archive.ts";
import type { Frame } from "./framing.ts";
import { isObject, type JsonObject, type JsonValue } from "./json.ts";
import { clientLimits, parseJson } from "./json-reader.ts";
import { malformed, quoted, type Reading, read } from "./reading.ts";
import type { Route } from "./routes.ts";

/** What a request carries besides its target: nothing, a JSON object, or an archive. */
export type Payload = { readonly kind: "nothing" } | { readonly kind: "object"; readonly object: JsonObject } | Archive;

interface Archive {
  readonly kind: "archive";
  readonly archive: ArchiveBody;
}

/** The most bytes that are read of a body. An archive is held in memory, since a request is judged whole. */
export function bodyLimitBytes(method: string): number {
  return method === "PUT" ? 32 * 1024 * 1024 : clientLimits.bytes;
}

/** Reads the body that a route takes. */
export function readBody(kind: Route["body"], frame: Frame, body: Uint8Array): Reading<Payload> {
  if (body.length > bodyLimitBytes(frame.method))
    return deny("body.size", `the body has more than ${bodyLimitBytes(frame.method)} bytes`, {}, 413);
  switch (kind) {
    case "none":
      return readNothing(frame, body);
    case "create":
    case "exec":
    case "exec-start":
      return readJsonObject(frame, body);
    case "archive":
      return readArchive(frame, body);
  }
}

/** A body where the engine expects none. It is never sent on; whether the client means something by it is judged later. */
function readNothing(frame: Frame, body: Uint8Array): Reading<Payload> {
  if (body.length === 0) return read({ kind: "nothing" });
  if (frame.method !== "POST") return malformed("body.unexpected", `a ${frame.method} request has no body`);
  const value = readJson(frame, body);
  if (value.kind !== "read") return value;
  if (value.value === null) return read({ kind: "nothing" });
  if (!isObject(value.value)) return malformed("body.unexpected", "this request has no body");
  return read({ kind: "object", object: value.value });
}

function readJsonObject(frame: Frame, body: Uint8Array): Reading<Payload> {
  if (body.length === 0) return malformed("body.missing", "the request needs a JSON object in its body");
  const value = readJson(frame, body);
  if (value.kind !== "read") return value;
  if (!isObject(value.value)) return malformed("body.object", "the body has to be a JSON object");
  return read({ kind: "object", object: value.value });
}

function readJson(frame: Frame, body: Uint8Array): Reading<JsonValue> {
  if (frame.mediaType !== "application/json")
    return malformed("framing.content-type", `a body has to be application/json, not ${frame.mediaType ?? "unnamed"}`);
  const parsed = parseJson(body);
  if (parsed.ok) return read(parsed.value);
  const { rule, what, offset, path } = parsed.problem;
  const where = `at byte ${offset}${path === "" ? "" : `, in ${quoted(path)}`}`;
  return deny(rule, `the body has ${what} (${where})`, path === "" ? {} : { field: path }, 400);
}

/** The docker CLI calls a tar archive `text/plain`, docker-py gives it no type. */
const archiveTypes = ["application/x-tar", "application/tar", "application/octet-stream", "text/plain"];

function readArchive(frame: Frame, body: Uint8Array): Reading<Payload> {
  if (frame.mediaType !== undefined && !archiveTypes.includes(frame.mediaType))
    return malformed("framing.content-type", `an archive is no ${quoted(frame.mediaType)}`);
  const tar = readTar(body);
  return tar.kind === "read" ? read({ kind: "archive", archive: { tar: tar.value } }) : tar;
}
