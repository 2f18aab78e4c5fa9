import { request } from "node:http";
import { errorCode } from "../failure.ts";

/** What a health check asks for; the answer says nothing but whether the guard can work, and is in no audit. */
export const healthTarget = "/_guard/health";

const withinMs = 4_000;

/** Asks a guard whether it can work; a text says why it cannot, or why it does not answer. */
export function askHealth(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { socketPath, path: healthTarget, agent: false, signal: AbortSignal.timeout(withinMs) };
    const sent = request(options, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        body = (body + chunk).slice(0, 1000);
      });
      answer.on("error", (error) => resolve(errorCode(error)));
      answer.on("end", () =>
        resolve(answer.statusCode === 200 ? undefined : `HTTP ${answer.statusCode} ${body.trim()}`),
      );
    });
    sent.on("error", (error) => resolve(`no guard answers on ${socketPath} (${errorCode(error)})`));
    sent.end();
  });
}
