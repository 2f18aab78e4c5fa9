import type { Finding, Position } from "../findings/finding.ts";
import { copiedWord } from "../text/copied-word.ts";
import { type Certificate, coversName, lifetimeLeft, lifetimeText, spanText, urgencyOf } from "./certificate.ts";

/** What was found in the operator's two files. */
export interface OwnFiles {
  /** The certificates of the file in their order, or why there are none. */
  readonly certificates: readonly Certificate[] | FileProblem;
  /** For each certificate but the last, whether the next one signed it. */
  readonly links: readonly boolean[];
  /** For each certificate, whether clients of today refuse the way in which it was signed. */
  readonly weaklySigned: readonly boolean[];
  /** Whether the first one may be a server's. */
  readonly servesClients: boolean;
  readonly key: KeyFile | FileProblem;
  /** The permission bits of the key's file. */
  readonly keyMode: number;
}

/** Why a file cannot be used, in words that go on after its name. */
export interface FileProblem {
  readonly problem: "missing" | "unreadable" | "content" | "locked" | "other";
  readonly text: string;
}

/** A private key that could be read. */
export interface KeyFile {
  readonly matches: boolean;
}

/** What the findings say besides: the names of the files as the configuration writes them, and where. */
export interface OwnFilesContext {
  readonly domain: string;
  readonly now: number;
  readonly certificate: { readonly path: string; readonly at: Position };
  readonly key: { readonly path: string; readonly at: Position };
}

/** Everything that is wrong with a certificate of the operator's own, before anything is started with it. */
export function ownCertificateFindings(files: OwnFiles, context: OwnFilesContext): Finding[] {
  const { certificates, key } = files;
  return [
    ...("problem" in certificates
      ? [fileFinding(context.certificate, certificates, "public.files.certificate")]
      : certificateFindings(certificates, files, context)),
    ...("problem" in key
      ? [fileFinding(context.key, key, "public.files.key")]
      : keyFindings(key, files.keyMode, context)),
  ];
}

function fileFinding({ path, at }: OwnFilesContext["key"], { problem, text }: FileProblem, name: string): Finding {
  const code = problem === "content" || problem === "locked" ? "D121" : "D120";
  const fixes = {
    missing: `correct ${name}; paths start at the folder of this file`,
    unreadable: "let the user who runs this tool read it",
    other: `name a file that can be read by ${name}`,
    locked: `take it off: openssl pkey -in ${path} -out ${path}.open; then name that file, mode 0600`,
    content: "put a PEM file there: text that begins with -----BEGIN",
  } as const satisfies Record<FileProblem["problem"], string>;
  const fix = fixes[problem];
  return { code, severity: "error", message: `${path} ${text}`, fix, at };
}

function keyFindings({ matches }: KeyFile, mode: number, { key, certificate }: OwnFilesContext): Finding[] {
  const findings: Finding[] = [];
  if (!matches)
    findings.push({
      code: "D121",
      severity: "error",
      message: `the key in ${key.path} does not belong to the first certificate in ${certificate.path}`,
      fix: "name the key with which that certificate was requested; a renewal may have made a new one",
      at: key.at,
    });
  if ((mode & 0o077) !== 0)
    findings.push({
      code: "D125",
      severity: "error",
      message: `others on this machine may read the private key ${key.path} (mode ${mode.toString(8).padStart(4, "0")})`,
      fix: `chmod 0600 ${copiedWord(key.path)}`,
      at: key.at,
    });
  return findings;
}

function certificateFindings(
  certificates: readonly Certificate[],
  { links, weaklySigned, servesClients }: OwnFiles,
  context: OwnFilesContext,
): Finding[] {
  const [leaf] = certificates;
  if (leaf === undefined) return [];
  return [
    ...nameFindings(leaf, context),
    ...timeFindings(certificates, context),
    ...chainFindings(certificates, links, context),
    ...strengthFindings(leaf, context),
    ...signatureFindings(certificates, weaklySigned, context),
    ...(servesClients ? [] : [useFinding(context)]),
  ];
}

function nameFindings(leaf: Certificate, { domain, certificate: { path, at } }: OwnFilesContext): Finding[] {
  if (leaf.isAuthority && leaf.names.length === 0)
    return [
      {
        code: "D124",
        severity: "error",
        message: `the first certificate in ${path} is an authority's (${leaf.subject}) and not the one of the domain`,
        fix: "put the certificate of the domain first, then those in between",
        at,
      },
    ];
  if (coversName(leaf, domain)) return [];
  const names = leaf.names.length === 0 ? "no name at all" : leaf.names.join(", ");
  return [
    {
      code: "D122",
      severity: "error",
      message: `the certificate in ${path} is for ${names}, and not for ${domain}`,
      fix: `name a certificate for ${domain}, or correct public.domain`,
      at,
    },
  ];
}

function timeFindings(
  certificates: readonly Certificate[],
  { now, certificate: { path, at } }: OwnFilesContext,
): Finding[] {
  return certificates.flatMap((each, index): Finding[] => {
    const which = index === 0 ? `the certificate in ${path}` : `the certificate ${each.subject} in ${path}`;
    if (now < each.notBefore)
      return [
        {
          code: "D123",
          severity: "error",
          message: `${which} is not valid yet: its time begins in ${spanText(each.notBefore - now)}`,
          fix: "wait for that, or name another one; a clock of this machine that is wrong looks the same",
          at,
        },
      ];
    const urgency = urgencyOf(lifetimeLeft(each, now));
    if (now >= each.notAfter)
      return [
        {
          code: "D123",
          severity: "error",
          message: `${which} expired ${spanText(now - each.notAfter)} ago`,
          fix: "renew it where it comes from, then run up again",
          at,
        },
      ];
    if (urgency === "fine" || index > 0) return [];
    return [
      {
        code: "D126",
        severity: "warning",
        message: `${which} has ${lifetimeText(each, now)} of its lifetime left`,
        fix: "renew it where it comes from, then run up again",
        at,
      },
    ];
  });
}

function chainFindings(
  certificates: readonly Certificate[],
  links: readonly boolean[],
  { certificate: { path, at } }: OwnFilesContext,
): Finding[] {
  const broken = links.indexOf(false);
  const [leaf] = certificates;
  const [before, after] = [certificates[broken], certificates[broken + 1]];
  if (broken !== -1 && before !== undefined && after !== undefined)
    return [
      {
        code: "D124",
        severity: "error",
        message: `certificate ${broken + 2} in ${path} (${after.subject}) did not sign certificate ${broken + 1} (${before.subject}), which ${before.issuer} signed`,
        fix: "put the certificate of the domain first, and after each one the one that signed it",
        at,
      },
    ];
  if (certificates.length > 1 || leaf === undefined) return [];
  const isSelfSigned = leaf.issuer === leaf.subject;
  return [
    {
      code: "D124",
      severity: "warning",
      message: isSelfSigned
        ? `the certificate in ${path} is signed by itself: no browser trusts it unless somebody installs it there`
        : `${path} holds only the certificate of the domain: clients that do not know ${leaf.issuer} refuse it`,
      fix: isSelfSigned
        ? "public.tls: internal makes a CA whose root can be installed once; acme fetches a certificate that browsers trust"
        : "append the certificates in between, which came with it (often called chain or fullchain)",
      at,
    },
  ];
}

/** What can be said against a key, by its kind as `Certificate.key` names it; undefined where clients of today take it. */
function keyTrouble(key: string): { readonly severity: "error" | "warning"; readonly text: string } | undefined {
  const bits = Number(/^RSA (\d+)$/.exec(key)?.[1] ?? 0);
  if (bits >= 2048 || key === "EC prime256v1" || key === "EC secp384r1") return undefined;
  if (bits > 0) return { severity: "error", text: `an RSA key of ${bits} bits, which clients refuse` };
  const name = key.replace(/^EC /, "");
  if (name === "ed25519" || name === "secp521r1")
    return { severity: "warning", text: `a key of the kind ${name}, which browsers refuse` };
  return { severity: "error", text: `a key of the kind ${name}, which the proxy cannot use` };
}

function strengthFindings({ key }: Certificate, { certificate: { path, at } }: OwnFilesContext): Finding[] {
  const trouble = keyTrouble(key);
  if (trouble === undefined) return [];
  return [
    {
      code: "D121",
      severity: trouble.severity,
      message: `the certificate in ${path} has ${trouble.text}`,
      fix: "request one with an RSA key of 2048 bits or more, or with an elliptic curve (P-256)",
      at,
    },
  ];
}

function signatureFindings(
  certificates: readonly Certificate[],
  weaklySigned: readonly boolean[],
  { certificate: { path, at } }: OwnFilesContext,
): Finding[] {
  return certificates
    .filter((_each, index) => weaklySigned[index])
    .map(({ subject }) => ({
      code: "D121",
      severity: "error",
      message: `the certificate ${subject} in ${path} is signed with SHA-1 or MD5, which clients refuse`,
      fix: "request one that is signed with SHA-256",
      at,
    }));
}

function useFinding({ certificate: { path, at } }: OwnFilesContext): Finding {
  return {
    code: "D121",
    severity: "error",
    message: `the certificate in ${path} is for other uses than a server's, which clients refuse`,
    fix: "request one for TLS servers (extended key usage: serverAuth)",
    at,
  };
}
