import type { Finding } from "../findings/finding.ts";
import { wrapText } from "../text/wrapped-text.ts";
import { type Certificate, coversName, lifetimeLeft, lifetimeText, spanText, urgencyOf } from "./certificate.ts";
import type { Issuance } from "./issuance.ts";
import type { PublicConfig } from "./public-schema.ts";

/** What a client sees at a front door with TLS, and what the proxy says about its certificate. */
export interface DoorReport {
  readonly kind: Exclude<PublicConfig["tls"], "off">;
  readonly domain: string;
  /** Whether the proxy is one of somebody else's stack, whose certificate this tool neither chose nor renews. */
  readonly isForeign: boolean;
  /** Where it was asked, as `address:port`. */
  readonly address: string;
  readonly seen: DoorSight;
  readonly issuance: Issuance;
}

/** A connection, or why there was none. */
export type DoorSight =
  | { readonly ok: false; readonly reason: string }
  | {
      readonly ok: true;
      /** Such as `TLSv1.3`, `h2` and the name of the suite. */
      readonly protocol: string;
      readonly application: string;
      readonly suite: string;
      /** The certificate of the domain, then those that signed it, as far as the door or this machine has them. */
      readonly chain: readonly Certificate[];
      /** Why it is not trusted by the ones who should; undefined where it is. */
      readonly distrust?: string;
      /** The certificate that it should show, where that is known. */
      readonly expected?: string;
      /** The header that keeps browsers to https; undefined where there is none. */
      readonly hsts?: string;
    };

/** What Node.js calls the doubts about a chain, in words. */
export function distrustText(code: string): string {
  switch (code) {
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "SELF_SIGNED_CERT_IN_CHAIN":
      return "no authority that is known here signed it, or the chain lacks a part";
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return "it is signed by itself";
    case "CERT_HAS_EXPIRED":
      return "it has expired";
    case "CERT_NOT_YET_VALID":
      return "it is not valid yet";
    default:
      return code;
  }
}

/** What is wrong with a front door; `status` and `doctor` show it as well. `now` is in milliseconds since 1970. */
export function doorFindings(report: DoorReport, now: number): Finding[] {
  const { domain, address, seen, issuance } = report;
  const failing = issuance.kind === "failing" ? [failingFinding(report, issuance)] : [];
  if (!seen.ok)
    return [
      ...failing,
      {
        code: "D128",
        severity: "error",
        message: `no client gets a certificate for ${domain} at ${address}: ${seen.reason}`,
        fix: "./deploy status shows whether the proxy runs, ./deploy logs proxy what it says",
      },
    ];
  const [leaf] = seen.chain;
  return [
    ...failing,
    ...distrustFindings(report, seen),
    ...(leaf === undefined ? [] : lifetimeFindings(report, leaf, now)),
  ];
}

function failingFinding({ domain }: DoorReport, { renewing, reason }: Extract<Issuance, { kind: "failing" }>): Finding {
  return {
    code: "D127",
    severity: "warning",
    message: `the certificate for ${domain} could not be ${renewing ? "renewed, and the old one stays in use" : "fetched"}: ${reason}`,
    fix: "let the name lead to this machine, and 80 and 443 reach it; ./deploy restart proxy tries again at once",
  };
}

function distrustFindings(
  { kind, domain, address, isForeign }: DoorReport,
  seen: Extract<DoorSight, { ok: true }>,
): Finding[] {
  const [leaf] = seen.chain;
  const problem =
    leaf === undefined
      ? "there is no certificate"
      : seen.expected !== undefined && seen.expected !== leaf.fingerprint
        ? "it is another certificate than the one that was given to the proxy"
        : !coversName(leaf, domain)
          ? `it is for ${leaf.names.join(", ") || "no name"}`
          : seen.distrust;
  if (problem === undefined) return [];
  return [
    {
      code: "D128",
      severity: "error",
      message: `what ${address} shows for ${domain} is not what it should: ${problem}`,
      fix: isForeign
        ? "give that stack's own proxy a certificate for this name"
        : kind === "files"
          ? "./deploy up hands the proxy the files of now"
          : "look whether something else listens there; ./deploy restart proxy makes it look again",
    },
  ];
}

/** The proxy looks every ten minutes whether a third is left, and then needs a moment. */
const renewalMilliseconds = 15 * 60_000;

function lifetimeFindings({ kind, domain, isForeign }: DoorReport, leaf: Certificate, now: number): Finding[] {
  const isOurs = kind !== "files" && !isForeign;
  const urgency = urgencyOf(lifetimeLeft(leaf, isOurs && now < leaf.notAfter ? now - renewalMilliseconds : now));
  if (urgency === "fine") return [];
  const left =
    lifetimeLeft(leaf, now) <= 0 ? lifetimeText(leaf, now) : `has ${lifetimeText(leaf, now)} of its lifetime left`;
  return [
    {
      code: "D126",
      severity: urgency,
      message: `the certificate for ${domain} ${left}`,
      fix: !isOurs
        ? "renew it where it comes from, then run ./deploy up"
        : "the proxy renews at a third and has not: ./deploy logs proxy says why, ./deploy restart proxy tries again",
    },
  ];
}

/** The certificate in one line. */
export function lifetimeLine({ kind, seen }: DoorReport, now: number): string {
  const [leaf] = seen.ok ? seen.chain : [];
  return leaf === undefined ? `${kind}, no certificate` : `${kind}, ${lifetimeText(leaf, now)} of the certificate left`;
}

/** The report for people, without its findings. */
export function doorText(report: DoorReport, now: number, columns: number): string {
  const { domain, address, seen } = report;
  const lines: (readonly [string, string])[] = [["door", `https://${domain} at ${address}`]];
  if (!seen.ok) lines.push(["client", `sees nothing: ${seen.reason}`]);
  else {
    const [leaf, ...others] = seen.chain;
    lines.push(["client", `${seen.protocol}, ${seen.application}, ${seen.suite}`]);
    if (leaf !== undefined)
      lines.push(
        ["names", leaf.names.join(", ")],
        [
          "chain",
          [leaf.subject, ...others.map(({ subject }) => subject), ...(others.length === 0 ? [leaf.issuer] : [])].join(
            " < ",
          ),
        ],
        ["key", leaf.key],
        ["lifetime", `${lifetimeText(leaf, now)} left of ${spanText(leaf.notAfter - leaf.notBefore)}`],
      );
    lines.push(["trusted", trustText(report, seen.distrust)], ["hsts", seen.hsts ?? "none"]);
  }
  lines.push(["renewal", renewalText(report)]);
  return lines.flatMap(([name, text]) => wrapText(text, name.padEnd(10), undefined, columns)).join("\n");
}

function trustText({ kind, isForeign }: DoorReport, distrust: string | undefined): string {
  if (distrust !== undefined) return `no: ${distrust}`;
  if (isForeign && kind !== "acme") return "only its name was looked at: the proxy is that of compose.base";
  switch (kind) {
    case "internal":
      return "by whoever installed the root that ./deploy tls root prints";
    case "acme":
      return "by whoever trusts its authority";
    case "files":
      return "it is the certificate of public.files";
  }
}

function renewalText({ kind, isForeign, issuance }: DoorReport): string {
  if (isForeign) return "by the proxy of compose.base, or by you";
  if (kind === "files") return "by you: put new files in place, then ./deploy up";
  switch (issuance.kind) {
    case "failing":
      return `fails: ${issuance.reason}`;
    case "issued":
      return `by the proxy, when a third of the lifetime is left; ${issuance.renewed ? "renewed" : "fetched"} since it started`;
    case "silent":
      return "by the proxy, when a third of the lifetime is left";
  }
}
