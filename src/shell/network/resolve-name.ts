import { Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";

/** What a name server says where there is no such name, or none of that kind. */
const unknownName = ["ENOTFOUND", "ENODATA", "EBADNAME"];

/**
 * Where a name leads: by this machine's own list, or else by its name servers. None where nobody knows the name; undefined
 * where no server answered in time. The system's own lookup cannot be given up, so it is not used.
 */
export async function resolveName(
  name: string,
  timeoutMilliseconds: number,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const listed = await readFile("/etc/hosts", "utf8").catch(() => "");
  const own = listed.split("\n").flatMap((line) => {
    const [address, ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    return address && names.includes(name) ? [address] : [];
  });
  if (own.length > 0) return own;
  const resolver = new Resolver({ timeout: timeoutMilliseconds, tries: 1 });
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMilliseconds)]);
  deadline.addEventListener("abort", () => resolver.cancel());
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  signal.throwIfAborted();
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  const silent = answers.some((answer) => answer.status === "rejected" && !unknownName.includes(codeOf(answer.reason)));
  return found.length === 0 && silent ? undefined : found;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
