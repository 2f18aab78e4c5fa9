import { deny } from "../decision/body-decision.ts";
import { type Payload, readBody } from "./body.ts";
import { bodyWithoutEcho, queryWithoutEcho } from "./echo.ts";
import type { Frame } from "./framing.ts";
import { type Query, readQuery } from "./query.ts";
import { quoted, type Reading, read } from "./reading.ts";
import type { Route } from "./routes.ts";
import type { Target } from "./target.ts";

/** What a request says besides what it is about. */
export interface Content {
  readonly query: Query;
  readonly payload: Payload;
}

/** Reads query and body by the models of a route. */
export function readContent(route: Route, frame: Frame, target: Target, bytes: Uint8Array): Reading<Content> {
  const payload = readBody(route.body, frame, bytes);
  if (payload.kind !== "read") return payload;
  const body = payload.value.kind === "object" ? payload.value.object : undefined;
  const parameters = queryWithoutEcho(target.query, (name) => Object.hasOwn(route.query, name), body);
  if (parameters.kind !== "read") return parameters;
  const query = readQuery(route.query, parameters.value);
  if (query.kind !== "read") return query;
  if (body === undefined) return read({ query: query.value, payload: payload.value });
  const object = bodyWithoutEcho(body, parameters.value);
  if (route.body !== "none") return read({ query: query.value, payload: { kind: "object", object } });
  const [extra] = object.keys();
  if (extra === undefined) return read({ query: query.value, payload: { kind: "nothing" } });
  return deny("body.unexpected", `this request takes no ${quoted(extra)} in its body`, { field: extra });
}
