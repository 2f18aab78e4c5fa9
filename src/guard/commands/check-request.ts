import * as z from "zod";
import type { ClientRequest } from "../decision/decision.ts";

const requestSchema = z.strictObject({
  method: z.string(),
  target: z.string(),
  headers: z.union([z.record(z.string(), z.string()), z.array(z.tuple([z.string(), z.string()]))]).default({}),
  /** A text is sent as it is, so that what no serialiser would write can be tried; anything else as JSON. */
  body: z.unknown().optional(),
});

/** Reads the file of a request; throws with everything that is wrong with it. */
export function readCheckRequest(text: string): ClientRequest {
  const parsed = requestSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const { method, target, headers: written, body: content } = parsed.data;
  const body = content === undefined ? "" : typeof content === "string" ? content : JSON.stringify(content);
  const bytes = new TextEncoder().encode(body);
  const given = Array.isArray(written) ? written : Object.entries(written);
  const has = (name: string): boolean => given.some(([each]) => each.toLowerCase() === name);
  const headers: [string, string][] = [["Host", "docker"], ...given];
  if (content !== undefined && !has("content-type")) headers.push(["Content-Type", "application/json"]);
  if (content !== undefined && !has("content-length") && !has("transfer-encoding"))
    headers.push(["Content-Length", String(bytes.length)]);
  return { method, target, headers: has("host") ? headers.slice(1) : headers, body: bytes };
}
