import type { ProbeResult, TlsDoor } from "../../world.ts";

const bodyLimitBytes = 64 * 1024;

/**
 * Asks a URL once; every failure to get an answer is a reason in words. Follows no redirect. The time is for the whole
 * answer, of which no more than its first 64 KiB are waited for. With a `door` the connection goes there, whatever the URL
 * says, and an answer of somebody who is not believed counts as none.
 */
export async function probe(
  url: string,
  timeoutMilliseconds: number,
  signal: AbortSignal,
  door?: TlsDoor,
): Promise<ProbeResult> {
  // Only `up` probes: other commands need not load the protocol.
  const { get } = url.startsWith("https:") ? await import("node:https") : await import("node:http");
  const tls = door && (await import("./tls-door.ts"));
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
    const through = tls?.doorOptions(door) ?? {};
    const request = get(url, { ...through, agent: false, signal: AbortSignal.any([signal, deadline]) }, (response) => {
      begun = true;
      const doubt = tls?.doubtOf(door, response.socket);
      if (doubt !== undefined) {
        request.destroy(new Error(doubt));
        return;
      }
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
