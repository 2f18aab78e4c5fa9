import type { DeployConfig } from "../config/config.ts";
import type { Finding } from "../findings/finding.ts";
import type { Concealed } from "../secrets/concealed.ts";

/** A file that the proxy's container mounts from the tool's folder of secrets. */
export interface TlsFile {
  readonly name: string;
  readonly text: Concealed;
}

/** What a stack with TLS needs beside its Compose files. */
export interface TlsStack {
  readonly files: readonly TlsFile[];
  /** Variables of the environment file that are read here and not by Compose. */
  readonly reads?: readonly string[];
  /** What is wrong with what the files were made from. */
  readonly findings: readonly Finding[];
}

/** Files among them that everybody may see: hiding what is in them would black out certificates wherever they are shown. */
export const publicTlsFiles: readonly string[] = ["tls_certificate", "acme_root"];

/** Let's Encrypt's staging directory. */
const stagingDirectory = "https://acme-staging-v02.api.letsencrypt.org/directory";

/** The overlays of the default stack that bring TLS, by their names in compose/. */
export function tlsOverlays({ public: { tls } }: DeployConfig): string[] {
  switch (tls) {
    case "off":
      return [];
    case "internal":
      return ["docker-compose.prod-tls.yaml"];
    case "acme":
    case "files":
      return ["docker-compose.prod-tls.yaml", `docker-compose.prod-tls-${tls}.yaml`];
  }
}

/** The variables that these overlays read; none of them is a secret. */
export function tlsVariables({
  public: { tls, domain, hstsSeconds, trustedProxies, acme },
}: DeployConfig): Record<string, string> {
  if (tls === "off" || domain === undefined) return {};
  const directory = acme.staging ? stagingDirectory : acme.directory;
  return {
    PUBLIC_TLS: tls,
    PUBLIC_DOMAIN: domain,
    HSTS_SECONDS: String(hstsSeconds),
    TRUSTED_PROXIES: trustedProxies.join(" "),
    ...(tls === "acme" ? { ACME_EMAIL: acme.email ?? "" } : {}),
    ...(tls === "acme" && directory !== undefined ? { ACME_DIRECTORY: directory } : {}),
  };
}

/** What an authority wants beyond the address of its directory, as lines of the proxy's own configuration; each word is quoted. */
export function acmeAccount(account: {
  readonly eab?: { keyId: string; key: string } | undefined;
  readonly hasRoot: boolean;
}): string {
  const lines = [
    ...(account.hasRoot ? ["trusted_roots /run/secrets/acme_root"] : []),
    ...(account.eab ? [`eab "${account.eab.keyId}" "${account.eab.key}"`] : []),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** What a key of external account binding may be: base64url as RFC 8555 asks for it, so that it needs no quoting. */
export const eabKeyPattern = /^[A-Za-z0-9_-]{16,}={0,2}$/;
