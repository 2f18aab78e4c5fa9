import type { AuditNotes, Decision, EngineRequest } from "../decision/decision.ts";
import type { Payload } from "./body.ts";
import { writeFilters } from "./filters.ts";
import type { Frame } from "./framing.ts";
import type { Query } from "./query.ts";
import type { Route } from "./routes.ts";
import { writeTarget } from "./target.ts";

/** A request of which everything was understood, and nothing yet held against the world. */
export interface Call {
  readonly frame: Frame;
  readonly route: Route;
  /** What the path names, as the client wrote it. */
  readonly reference: string;
  /** The API version to send it on with. */
  readonly version: string;
  readonly query: Query;
  readonly payload: Payload;
}

/** What is sent otherwise than the client wrote it. */
export interface Rewrite {
  /** In place of what the path names. */
  readonly id?: string;
  readonly version?: string;
  readonly query?: Query;
  readonly body?: EngineRequest["body"];
  readonly stream?: EngineRequest["stream"];
  /** Of the policy, if it is not the route's. */
  readonly rule?: string;
}

/** Sends a call on: method, path, query and body are written anew from their parts. */
export function forward(call: Call, notes: AuditNotes, rewrite: Rewrite = {}): Decision {
  const { route, frame } = call;
  const { parameters, filters } = rewrite.query ?? call.query;
  const query = filters.size === 0 ? parameters : new Map([...parameters, ["filters", writeFilters(filters)]]);
  const path = route.path.replace(/\{[^}]*\}/, () => plainId(rewrite.id ?? call.reference));
  return {
    kind: "forward",
    rule: rewrite.rule ?? route.name,
    request: {
      method: frame.method,
      target: writeTarget(rewrite.version ?? call.version, path, query),
      body: rewrite.body,
      stream: rewrite.stream ?? streamOf(route, frame),
    },
    notes,
  };
}

/** Only ids are sent on, never a name of a client: that is what everybody who makes a call has seen to. */
function plainId(id: string): string {
  if (!/^(?:sha256:)?[0-9a-f]{64}$/.test(id))
    throw new Error("a path would be sent on with something that is no id in it");
  return id;
}

/** Without an upgrade the engine answers attach and exec with an ordinary body that ends when they do. */
function streamOf(route: Route, frame: Frame): EngineRequest["stream"] {
  if (route.stream !== "raw") return route.stream;
  return frame.upgrade ? "duplex" : "download";
}
