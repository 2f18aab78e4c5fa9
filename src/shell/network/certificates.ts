import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { Certificate } from "../../core/public/certificate.ts";
import type { FileProblem, OwnFiles } from "../../core/public/own-certificate.ts";
import { FileReadError, type Files } from "../../files.ts";

const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/** The certificates of a PEM text, in its order; empty where it holds none that can be read. */
export function readCertificates(pem: string): X509Certificate[] {
  const blocks = [...pem.matchAll(pemBlock)].filter(([, kind]) => kind === "CERTIFICATE").map(([block]) => block);
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}

/** What a certificate says. */
export function certificateOf(certificate: X509Certificate): Certificate {
  const names = namesOf(certificate.subjectAltName);
  return {
    // Authorities of today leave the subject empty: the names are elsewhere.
    subject: nameOf(certificate.subject) ?? names[0] ?? "nobody",
    issuer: nameOf(certificate.issuer) ?? "nobody",
    names,
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    fingerprint: certificate.fingerprint256,
    isAuthority: certificate.ca,
    key: keyText(certificate.publicKey),
  };
}

/** The common name where there is one, for a whole distinguished name is long. */
function nameOf(name: string | undefined): string | undefined {
  const parts = (name ?? "").split("\n").filter((part) => part !== "");
  return parts.find((part) => part.startsWith("CN="))?.slice(3) ?? (parts.join(", ") || undefined);
}

function namesOf(alternatives: string | undefined): string[] {
  return (alternatives ?? "").split(", ").flatMap((entry) => {
    const [, name] = /^(?:DNS|IP Address):(.+)$/.exec(entry) ?? [];
    return name === undefined ? [] : [name.toLowerCase()];
  });
}

function keyText({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string {
  if (type === "rsa") return `RSA ${details?.modulusLength ?? ""}`;
  return type === "ec" ? `EC ${details?.namedCurve ?? ""}` : (type ?? "unknown");
}

/** For each certificate but the last, whether the next one signed it. */
export function chainLinks(certificates: readonly X509Certificate[]): boolean[] {
  return certificates.slice(1).map((issuer, index) => {
    const signed = certificates[index];
    return signed?.checkIssued(issuer) === true && signed.verify(issuer.publicKey);
  });
}

/** The operator's two files with all that is asked of them; `texts` are what a container gets, where both could be read. */
export interface ReadOwnFiles extends OwnFiles {
  readonly texts: { readonly certificate: string; readonly key: string } | undefined;
}

/** Reads the operator's certificate and key; nothing is thrown because of what is in them. */
export async function readOwnFiles(files: Files, paths: { certificate: string; key: string }): Promise<ReadOwnFiles> {
  const [certificateText, keyText, stat] = await Promise.all([
    textOf(files, paths.certificate),
    textOf(files, paths.key),
    files.stat(paths.key).catch(unreadable),
  ]);
  const chain = typeof certificateText === "string" ? readCertificates(certificateText) : [];
  const [leaf] = chain;
  const key = typeof keyText === "string" ? readKey(keyText) : keyText;
  const isKey = !("problem" in key);
  return {
    certificates:
      typeof certificateText === "string"
        ? leaf
          ? chain.map(certificateOf)
          : noCertificate(certificateText)
        : certificateText,
    links: chainLinks(chain),
    weaklySigned: chain.map(isWeaklySigned),
    servesClients: leaf === undefined || isForServers(leaf),
    // Without a certificate there is nothing that it could fit.
    key: isKey ? { matches: leaf === undefined || leaf.checkPrivateKey(key) } : key,
    keyMode: stat?.mode ?? 0,
    // Written anew from what was read here: the proxy sees these very certificates, and nothing else that is in the files.
    texts:
      leaf && isKey
        ? {
            certificate: chain.map((each) => each.toString()).join(""),
            key: key.export({ type: "pkcs8", format: "pem" }).toString(),
          }
        : undefined,
  };
}

function unreadable(error: unknown): undefined {
  if (!(error instanceof FileReadError)) throw error;
}

/** Signatures with MD5 or SHA-1, by the identifiers of RFC 3279 and RFC 5758 as they stand in a certificate. */
const weakSignatures = ["2a864886f70d010104", "2a864886f70d010105", "2a8648ce3d0401", "2a8648ce380403"].map((hex) =>
  Buffer.from(`06${(hex.length / 2).toString(16).padStart(2, "0")}${hex}`, "hex"),
);

/** Nobody looks at the signature of what is signed by itself. */
function isWeaklySigned(certificate: X509Certificate): boolean {
  return (
    certificate.issuer !== certificate.subject &&
    weakSignatures.some((identifier) => certificate.raw.includes(identifier))
  );
}

/** Whether it may be a server's: one that does not say what it is for may be anything's (RFC 5280, 4.2.1.12). */
function isForServers({ keyUsage }: X509Certificate): boolean {
  const uses: readonly string[] | undefined = keyUsage;
  return uses === undefined || uses.includes("1.3.6.1.5.5.7.3.1") || uses.includes("2.5.29.37.0");
}

async function textOf(files: Files, path: string): Promise<string | FileProblem> {
  try {
    const text = await files.read(path);
    return text ?? { problem: "missing", text: "does not exist" };
  } catch (error) {
    if (!(error instanceof FileReadError)) throw error;
    if (error.code === "EILSEQ") return { problem: "content", text: "is not text: it may be in DER form" };
    return { problem: error.code === "EACCES" ? "unreadable" : "other", text: error.reason };
  }
}

function noCertificate(text: string): FileProblem {
  const kinds = [...text.matchAll(pemBlock)].map(([, kind = ""]) => kind);
  const held = kinds.some((kind) => kind === "CERTIFICATE")
    ? "holds a certificate that is damaged"
    : kinds.some((kind) => kind.endsWith("PRIVATE KEY"))
      ? "holds a private key and no certificate; the two paths may be exchanged"
      : kinds.some((kind) => kind.endsWith("CERTIFICATE REQUEST"))
        ? "holds a request for a certificate and not the certificate"
        : "holds no certificate";
  return { problem: "content", text: held };
}

function readKey(text: string): KeyObject | FileProblem {
  const kinds = [...text.matchAll(pemBlock)].map(([block, kind = ""]) => ({ block, kind }));
  const key = kinds.find(({ kind }) => kind.endsWith("PRIVATE KEY"));
  if (key === undefined) {
    const held =
      kinds.length > 0 ? `holds a ${kinds[0]?.kind.toLowerCase()} and no private key` : "holds no private key";
    return { problem: "content", text: held };
  }
  if (/ENCRYPTED/.test(key.block))
    return { problem: "locked", text: "is protected by a passphrase, which nobody can type when the proxy starts" };
  try {
    return createPrivateKey(key.block);
  } catch {
    return { problem: "content", text: "holds a private key that is damaged" };
  }
}
