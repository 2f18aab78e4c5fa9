import type { ProbeResult } from "../world.ts";

const bodyLimitBytes = 64 * 1024;

/**
 * Asks a URL once; every failure to get an answer is a reason in words. Follows no redirect. The time is for the whole
 * answer, of which no more than its first 64 KiB are waited for.
 */
export async function probe(url: string, timeoutMilliseconds: number, signal: AbortSignal): Promise<ProbeResult> {
  // Only `up` probes: other commands need not load the protocol.
  const { get } = url.startsWith("https:") ? await import("node:https") : await import("node:http");
  const deadline = AbortSignal.timeout(timeoutMilliseconds);
  const within = `within ${timeoutMilliseconds / 1000} seconds`;
  return new Promise((resolve) => {
    let begun = false;
    const fail = (error: Error) => {
      const late = begun ? `the answer did not end ${within}` : `no answer ${within}`;
      // When every address of a name fails, the message is empty and the code says it.
      const reason = error.message || ("code" in error ? String(error.code) : error.name);
      resolve({ ok: false, reason: deadline.aborted ? late : reason });
    };
    const request = get(url, { agent: false, signal: AbortSignal.any([signal, deadline]) }, (response) => {
      begun = true;
      let body = "";
      const answer = () => resolve({ ok: true, status: response.statusCode ?? 0, body });
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
        if (body.length < bodyLimitBytes) return;
        answer();
        request.destroy();
      });
      response.on("end", answer);
      response.on("error", fail);
    });
    request.on("error", fail);
  });
}
