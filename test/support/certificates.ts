import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What a certificate is to be like; left out, it is one of an elliptic curve, for a year from yesterday. */
export interface Wanted {
  readonly names?: readonly string[];
  readonly addresses?: readonly string[];
  /** Days from now, negative for the past. */
  readonly from?: number;
  readonly until?: number;
  /** Bits of an RSA key. */
  readonly rsa?: number;
  /** Another key, as openssl genpkey is told of it. */
  readonly key?: readonly string[];
  /** The hash with which it is signed. */
  readonly hash?: string;
  /** What it is for. */
  readonly use?: string;
  /** The name of the pair that signs it; itself when left out. */
  readonly by?: string;
  readonly authority?: boolean;
  /** Where clients may ask whether it was revoked, as public authorities say. */
  readonly crl?: string;
}

const configuration = (name: string, wanted: Wanted): string => {
  const { names = [], addresses = [], authority = false, crl, hash = "sha256", use = "serverAuth" } = wanted;
  const alternatives = [...names.map((each) => `DNS:${each}`), ...addresses.map((each) => `IP:${each}`)];
  return [
    `[ca]\ndefault_ca = own\n[own]\ndatabase = index\nserial = serial\nnew_certs_dir = .\npolicy = any\ndefault_md = ${hash}`,
    "unique_subject = no\n[any]\ncommonName = supplied\n[req]\ndistinguished_name = dn\nprompt = no",
    `[dn]\nCN = ${name}\n[ext]\nbasicConstraints = critical, CA:${authority ? "TRUE" : "FALSE"}`,
    authority
      ? "keyUsage = critical, keyCertSign, cRLSign"
      : `keyUsage = critical, digitalSignature\nextendedKeyUsage = ${use}`,
    "subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid",
    ...(alternatives.length === 0 ? [] : [`subjectAltName = ${alternatives.join(", ")}`]),
    ...(crl === undefined ? [] : [`crlDistributionPoints = URI:${crl}`]),
    "",
  ].join("\n");
};

const day = 86_400_000;
const stamp = (days: number) =>
  new Date(Date.now() + days * day).toISOString().replace(/\D/g, "").slice(2, 14).concat("Z");

/** Makes NAME.pem and NAME.key in a folder with openssl; the key is open to its owner alone. */
export async function makeCertificate(folder: string, name: string, wanted: Wanted = {}): Promise<void> {
  const { from = -1, until = 365, rsa, by = name } = wanted;
  const at = (file: string) => join(folder, file);
  await writeFile(at(`${name}.cnf`), configuration(name, wanted));
  await writeFile(at("index"), "");
  await writeFile(
    at("serial"),
    `${Math.floor(Math.random() * 1e12)
      .toString()
      .padStart(12, "1")}\n`,
  );
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  const usual =
    rsa === undefined ? ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"] : ["RSA", "-pkeyopt", `rsa_keygen_bits:${rsa}`];
  const key = wanted.key ?? usual;
  await openssl("genpkey", "-algorithm", ...key, "-out", `${name}.key`);
  await run("chmod", ["0600", at(`${name}.key`)]);
  await openssl("req", "-new", "-config", `${name}.cnf`, "-key", `${name}.key`, "-out", `${name}.csr`);
  const signer =
    by === name ? ["-selfsign", "-keyfile", `${name}.key`] : ["-cert", `${by}.pem`, "-keyfile", `${by}.key`];
  await openssl(
    ...[
      "ca",
      "-batch",
      "-notext",
      "-config",
      `${name}.cnf`,
      "-extensions",
      "ext",
      "-in",
      `${name}.csr`,
      "-out",
      `${name}.pem`,
    ],
    ...[...signer, "-startdate", stamp(from), "-enddate", stamp(until)],
  );
}
