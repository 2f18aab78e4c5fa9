import * as z from "zod";

/** What the proxy's log says about fetching a certificate: the newest word counts. */
export type Issuance =
  | { readonly kind: "silent" }
  | { readonly kind: "issued"; readonly renewed: boolean }
  | { readonly kind: "failing"; readonly renewing: boolean; readonly reason: string };

const lineSchema = z.object({
  logger: z.string().default(""),
  msg: z.string().default(""),
  identifier: z.string().optional(),
  error: z.unknown().optional(),
});

/** Reads the log of Caddy, one JSON document a line; other lines and other names are passed over. */
export function issuanceIn(log: string, domain: string): Issuance {
  let found: Issuance = { kind: "silent" };
  for (const line of log.split("\n")) {
    const parsed = lineSchema.safeParse(jsonOf(line));
    if (!parsed.success || !/^tls\.(obtain|renew|issuance\.acme)/.test(parsed.data.logger)) continue;
    const { logger, msg, identifier, error } = parsed.data;
    if (identifier !== undefined && identifier !== domain) continue;
    const renewing = logger === "tls.renew";
    if (/^certificate (obtained|renewed) successfully$/.test(msg)) found = { kind: "issued", renewed: renewing };
    else if (msg === "will retry" && error !== undefined)
      found = { kind: "failing", renewing, reason: reasonIn(error, domain) };
  }
  return found;
}

/** The words of the authority, without what Caddy puts around them. */
function reasonIn(error: unknown, domain: string): string {
  const text = typeof error === "string" ? error : JSON.stringify(error);
  const bare = text
    .replace(`[${domain}] `, "")
    .replace(/^(Obtain|Renew): /, "")
    .replace(`[${domain}] `, "");
  return bare
    .replace(/ \(order=[^)]*\)/g, "")
    .replace(/ \(ca=[^)]*\)/g, "")
    .trim();
}

function jsonOf(line: string): unknown {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
