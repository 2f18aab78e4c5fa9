import type { ProbeResult } from "../../world.ts";

/** Asks an HTTP proxy for a tunnel to the host of a URL; every failure to get an answer is a reason in words. */
export async function tunnel(
  proxy: string,
  url: string,
  timeoutMilliseconds: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { hostname, port } = new URL(url);
  const { request } = proxy.startsWith("https:") ? await import("node:https") : await import("node:http");
  const deadline = AbortSignal.timeout(timeoutMilliseconds);
  const options = { agent: false, method: "CONNECT", path: `${hostname}:${port || 443}` };
  return new Promise((resolve) => {
    const asked = request(proxy, { ...options, signal: AbortSignal.any([signal, deadline]) });
    const answered = (status = 0) => resolve({ ok: true, status, body: "" });
    asked.on("connect", ({ statusCode }, socket) => {
      socket.destroy();
      answered(statusCode);
    });
    // A proxy that refuses may do so as an ordinary answer.
    asked.on("response", (response) => {
      response.destroy();
      answered(response.statusCode);
    });
    asked.on("error", (error) => {
      const late = `no answer within ${timeoutMilliseconds / 1000} seconds`;
      resolve({ ok: false, reason: deadline.aborted ? late : error.message });
    });
    asked.end();
  });
}
