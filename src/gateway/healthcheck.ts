import { reasonOf } from "./http-json.ts";

/** Asks a gateway on this machine for its health; a text says why it is not well. */
export async function askHealth(port: number): Promise<string | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(4_000) });
    return answer.ok ? undefined : `HTTP ${answer.status} ${await answer.text()}`;
  } catch (error) {
    return reasonOf(error);
  }
}
