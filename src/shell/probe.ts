import type { ProbeResult } from "../world.ts";

/** Asks a URL once; every failure to get an answer is a reason in words. */
export async function probe(url: string, timeoutMilliseconds: number): Promise<ProbeResult> {
  try {
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(timeoutMilliseconds) });
    return { ok: true, status: response.status, body: await response.text() };
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  }
}

/** fetch hides the cause of a failure one level down. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error) return "code" in cause ? `${cause.message || String(cause.code)}` : cause.message;
  return error.message;
}
