import type { ProbeResult } from "../world.ts";

const bodyLimitBytes = 64 * 1024;

/** Asks a URL once; every failure to get an answer is a reason in words. Follows no redirect. */
export async function probe(url: string, timeoutMilliseconds: number): Promise<ProbeResult> {
  // Only `up` probes: other commands need not load the protocol.
  const { get } = url.startsWith("https:") ? await import("node:https") : await import("node:http");
  return new Promise((resolve) => {
    // When every address of a name fails, the message is empty and the code says it.
    const fail = (error: Error) =>
      resolve({ ok: false, reason: error.message || ("code" in error ? String(error.code) : error.name) });
    const request = get(url, { agent: false, timeout: timeoutMilliseconds }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        if (body.length < bodyLimitBytes) body += chunk;
      });
      response.on("end", () => resolve({ ok: true, status: response.statusCode ?? 0, body }));
      response.on("error", fail);
    });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${timeoutMilliseconds / 1000} seconds`)));
    request.on("error", fail);
  });
}
