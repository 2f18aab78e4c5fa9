import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ownCertificateFindings } from "../../../src/core/public/own-certificate.ts";
import { createFiles } from "../../../src/shell/files/files.ts";
import { readOwnFiles } from "../../../src/shell/network/certificates.ts";
import { createProcessTable } from "../../../src/shell/processes/processes.ts";
import { makeCertificate } from "../../support/certificates.ts";

const run = promisify(execFile);
let folder = "";
const at = (name: string) => join(folder, name);
const files = createFiles(createProcessTable(process));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "own-certificate-"));
  const domain = { names: ["my.agents.example"], by: "middle" };
  await makeCertificate(folder, "root", { authority: true });
  await makeCertificate(folder, "middle", { authority: true, by: "root" });
  await makeCertificate(folder, "good", domain);
  await makeCertificate(folder, "wild", { names: ["*.agents.example"], by: "middle" });
  await makeCertificate(folder, "other", { names: ["other.example", "www.other.example"], by: "middle" });
  await makeCertificate(folder, "deep", { names: ["*.my.agents.example"], by: "middle" });
  await makeCertificate(folder, "expired", { ...domain, from: -90, until: -3 });
  await makeCertificate(folder, "early", { ...domain, from: 4 });
  await makeCertificate(folder, "late", { ...domain, from: -80, until: 10 });
  await makeCertificate(folder, "weak", { ...domain, rsa: 1024 });
  await makeCertificate(folder, "bitcoin", { ...domain, key: ["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"] });
  await makeCertificate(folder, "pss", { ...domain, key: ["RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"] });
  await makeCertificate(folder, "edwards", { ...domain, key: ["ED25519"] });
  await makeCertificate(folder, "sha1", { ...domain, hash: "sha1" });
  await makeCertificate(folder, "mail", { ...domain, use: "emailProtection" });
  await makeCertificate(folder, "alone", { names: ["my.agents.example"] });
  const pem = async (...names: string[]) =>
    (await Promise.all(names.map((name) => readFile(at(`${name}.pem`), "utf8")))).join("");
  for (const name of [
    "good",
    "wild",
    "other",
    "deep",
    "expired",
    "early",
    "late",
    "weak",
    "bitcoin",
    "pss",
    "edwards",
    "sha1",
    "mail",
  ])
    await writeFile(at(`${name}-chain.pem`), await pem(name, "middle"));
  await writeFile(at("reversed.pem"), await pem("middle", "good"));
  await writeFile(at("skipped.pem"), await pem("good", "root"));
  await writeFile(at("text.pem"), "no certificate at all\n");
  await writeFile(at("der.pem"), Buffer.from([0x30, 0x82, 0x01, 0xff, 0xfe]));
  await writeFile(at("cut.pem"), (await pem("good")).replace(/\n.{20}/, "\n"));
  await writeFile(at("cut.key"), (await readFile(at("good.key"), "utf8")).replace(/\n.{20}/, "\n"), { mode: 0o600 });
  await writeFile(
    at("locked.key"),
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
    { mode: 0o600 },
  );
  await writeFile(at("open.key"), await readFile(at("good.key"), "utf8"), { mode: 0o600 });
  await chmod(at("open.key"), 0o644);
  await symlink("good.key", at("linked.key"));
  await symlink("circle.key", at("circle.key"));
  await mkdir(at("folder.key"));
  await run("mkfifo", [at("pipe.key")]);
  await writeFile(at("huge.pem"), Buffer.alloc(17 * 1024 * 1024));
  // As people put them together: marked as UTF-8, with carriage returns, words and the key in between.
  const crowded = [
    "\ufeffBag Attributes\n",
    await pem("good"),
    await readFile(at("good.key"), "utf8"),
    "  ",
    await pem("middle"),
  ];
  await writeFile(at("crowded.pem"), crowded.join("").replaceAll("\n", "\r\n"), { mode: 0o600 });
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function judge(certificate: string, key: string): Promise<string[]> {
  const read = await readOwnFiles(files, { certificate: at(certificate), key: at(key) });
  const findings = ownCertificateFindings(read, {
    domain: "my.agents.example",
    now: Date.now(),
    certificate: { path: certificate, at: { file: "deploy.config.yaml", line: 4 } },
    key: { path: key, at: { file: "deploy.config.yaml", line: 5 } },
  });
  return findings.map(({ at: place, severity, code, message }) => `${place?.line} ${severity} ${code} ${message}`);
}

describe("a certificate of one's own", () => {
  test.each(["good", "wild"])("that is right is taken: %s", async (name) => {
    expect(await judge(`${name}-chain.pem`, `${name}.key`)).toEqual([]);
  });

  test.each<[certificate: string, key: string, said: string]>([
    ["nowhere.pem", "good.key", "4 error D120 nowhere.pem does not exist"],
    ["text.pem", "good.key", "4 error D121 text.pem holds no certificate"],
    ["der.pem", "good.key", "4 error D121 der.pem is not text: it may be in DER form"],
    ["cut.pem", "good.key", "4 error D121 cut.pem holds a certificate that is damaged"],
    ["good.csr", "good.key", "4 error D121 good.csr holds a request for a certificate and not the certificate"],
    ["good-chain.pem", "nowhere.key", "5 error D120 nowhere.key does not exist"],
    ["good-chain.pem", "text.pem", "5 error D121 text.pem holds no private key"],
    ["good-chain.pem", "cut.key", "5 error D121 cut.key holds a private key that is damaged"],
    [
      "good-chain.pem",
      "locked.key",
      "5 error D121 locked.key is protected by a passphrase, which nobody can type when the proxy starts",
    ],
    [
      "good-chain.pem",
      "wild.key",
      "5 error D121 the key in wild.key does not belong to the first certificate in good-chain.pem",
    ],
    ["good-chain.pem", "open.key", "5 error D125 others on this machine may read the private key open.key (mode 0644)"],
    [
      "other-chain.pem",
      "other.key",
      "4 error D122 the certificate in other-chain.pem is for other.example, www.other.example, and not for my.agents.example",
    ],
    [
      "deep-chain.pem",
      "deep.key",
      "4 error D122 the certificate in deep-chain.pem is for *.my.agents.example, and not for my.agents.example",
    ],
    ["expired-chain.pem", "expired.key", "4 error D123 the certificate in expired-chain.pem expired 3 days ago"],
    [
      "early-chain.pem",
      "early.key",
      "4 error D123 the certificate in early-chain.pem is not valid yet: its time begins in 3 days",
    ],
    [
      "late-chain.pem",
      "late.key",
      "4 warning D126 the certificate in late-chain.pem has 11 % (9 days) of its lifetime left",
    ],
    [
      "skipped.pem",
      "good.key",
      "4 error D124 certificate 2 in skipped.pem (root) did not sign certificate 1 (good), which middle signed",
    ],
    [
      "good.pem",
      "good.key",
      "4 warning D124 good.pem holds only the certificate of the domain: clients that do not know middle refuse it",
    ],
    [
      "alone.pem",
      "alone.key",
      "4 warning D124 the certificate in alone.pem is signed by itself: no browser trusts it unless somebody installs it there",
    ],
    [
      "weak-chain.pem",
      "weak.key",
      "4 error D121 the certificate in weak-chain.pem has an RSA key of 1024 bits, which clients refuse",
    ],
    ["huge.pem", "good.key", "4 error D120 huge.pem cannot be read: it is too large"],
    ["good-chain.pem", "circle.key", "5 error D120 circle.key cannot be read: its symbolic links lead in a circle"],
    ["good-chain.pem", "folder.key", "5 error D120 folder.key cannot be read: it is a directory"],
    ["good-chain.pem", "pipe.key", "5 error D120 pipe.key cannot be read: it is not a regular file"],
    [
      "bitcoin-chain.pem",
      "bitcoin.key",
      "4 error D121 the certificate in bitcoin-chain.pem has a key of the kind secp256k1, which the proxy cannot use",
    ],
    [
      "pss-chain.pem",
      "pss.key",
      "4 error D121 the certificate in pss-chain.pem has a key of the kind rsa-pss, which the proxy cannot use",
    ],
    [
      "edwards-chain.pem",
      "edwards.key",
      "4 warning D121 the certificate in edwards-chain.pem has a key of the kind ed25519, which browsers refuse",
    ],
    [
      "sha1-chain.pem",
      "sha1.key",
      "4 error D121 the certificate sha1 in sha1-chain.pem is signed with SHA-1 or MD5, which clients refuse",
    ],
    [
      "mail-chain.pem",
      "mail.key",
      "4 error D121 the certificate in mail-chain.pem is for other uses than a server's, which clients refuse",
    ],
  ])("that is broken is refused with its own words: %s, %s", async (certificate, key, said) => {
    expect(await judge(certificate, key)).toEqual([said]);
  });

  test("is taken through a link, by the mode of what it leads to", async () => {
    expect(await judge("good-chain.pem", "linked.key")).toEqual([]);
  });

  test("is given to the proxy as it was read here, and nothing else that is in the files", async () => {
    expect(await judge("crowded.pem", "crowded.pem")).toEqual([]);
    const plain = await readOwnFiles(files, { certificate: at("good-chain.pem"), key: at("good.key") });
    const crowded = await readOwnFiles(files, { certificate: at("crowded.pem"), key: at("crowded.pem") });
    expect(crowded.texts).toEqual(plain.texts);
    expect(plain.texts?.certificate).toBe(await readFile(at("good-chain.pem"), "utf8"));
    expect(plain.texts?.key).toBe(await readFile(at("good.key"), "utf8"));
  });

  test("whose chain is the wrong way round is refused for that, and for the key that then belongs to another", async () => {
    expect(await judge("reversed.pem", "good.key")).toEqual([
      "4 error D124 the first certificate in reversed.pem is an authority's (middle) and not the one of the domain",
      "4 error D124 certificate 2 in reversed.pem (good) did not sign certificate 1 (middle), which root signed",
      "5 error D121 the key in good.key does not belong to the first certificate in reversed.pem",
    ]);
  });

  test("whose two paths are exchanged is told so", async () => {
    const [first] = await judge("good.key", "good.pem");
    expect(first).toBe("4 error D121 good.key holds a private key and no certificate; the two paths may be exchanged");
  });
});
