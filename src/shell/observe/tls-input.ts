import type { ConfigFile } from "../../core/config/config.ts";
import type { Finding } from "../../core/findings/finding.ts";
import { ownCertificateFindings } from "../../core/public/own-certificate.ts";
import { acmeAccount, eabKeyPattern, type TlsStack, tlsOverlays, tlsVariables } from "../../core/public/tls-stack.ts";
import { conceal } from "../../core/secrets/concealed.ts";
import { joinPath, resolvePath, type Stack, type Territory } from "../../core/stack/stack.ts";
import { FileReadError } from "../../files.ts";
import type { World } from "../../world.ts";
import { variableOf } from "../compose/compose.ts";
import { sha256 } from "../files/fingerprint.ts";
import { readCertificates, readOwnFiles } from "../network/certificates.ts";

/** What a stack with TLS needs: the files that its proxy mounts, the variables of its overlays, and what is wrong. */
export interface TlsInput {
  readonly tls: TlsStack;
  readonly variables: Readonly<Record<string, string>>;
}

/** Reads and checks everything that `public` names. Values of the environment file that are secret are hidden from here on. */
export async function readTlsInput(world: World, config: ConfigFile, territory: Territory): Promise<TlsInput> {
  const { tls: kind } = config.config.public;
  const tls =
    config.config.compose.base !== undefined
      ? { files: [], findings: [foreignFinding(config)] }
      : kind === "files"
        ? await ownFiles(world, config, territory)
        : kind === "acme"
          ? await acmeFiles(world, config, territory)
          : { files: [], findings: [] };
  const hash = sha256(tls.files.map(({ text }) => text.reveal()).join("\0"));
  const variables = tlsVariables(config.config);
  return { tls, variables: tls.files.length === 0 ? variables : { ...variables, TLS_FILES_SHA256: hash } };
}

/** Somebody else's proxy is configured by somebody else. */
function foreignFinding(config: ConfigFile): Finding {
  const overlay = tlsOverlays(config.config)[0] ?? "";
  return {
    code: "D130",
    severity: "warning",
    message:
      "public.tls changes only the proxy of the default stack, and compose.base names another one: no port and no certificate follows from it",
    fix: `end TLS in an overlay of your own (compose/${overlay} shows how) and accept no-tls with the reason, for nobody here can look into that proxy; or leave public.tls off`,
    at: config.positionOf(["public", "tls"]),
  };
}

async function ownFiles(world: World, config: ConfigFile, territory: Territory): Promise<TlsStack> {
  const { files, domain = "" } = config.config.public;
  if (files === undefined) return { files: [], findings: [] };
  const at = (path: string) => resolvePath(territory.root, world.home, path);
  const read = await readOwnFiles(world.files, { certificate: at(files.certificate), key: at(files.key) });
  if (read.texts) world.reporter.hide([read.texts.key]);
  const findings = ownCertificateFindings(read, {
    domain,
    now: world.now().getTime(),
    certificate: { path: files.certificate, at: config.positionOf(["public", "files", "certificate"]) },
    key: { path: files.key, at: config.positionOf(["public", "files", "key"]) },
  });
  const { certificate = "", key = "" } = read.texts ?? {};
  return {
    files: [
      { name: "tls_certificate", text: conceal(certificate) },
      { name: "tls_key", text: conceal(key) },
    ],
    findings,
  };
}

async function acmeFiles(world: World, config: ConfigFile, territory: Territory): Promise<TlsStack> {
  const { eab, root } = config.config.public.acme;
  const [key, roots] = await Promise.all([
    eab && variableOf(world, { variables: {}, envPath: territory.envPath }, eab.keyVariable),
    root === undefined ? "" : readRoots(world, resolvePath(territory.root, world.home, root)),
  ]);
  if (key) world.reporter.hide([key]);
  const isKey = key !== undefined && eabKeyPattern.test(key);
  const account = acmeAccount({
    eab: eab && isKey ? { keyId: eab.keyId, key: key.replace(/=+$/, "") } : undefined,
    hasRoot: root !== undefined,
  });
  return {
    files: [
      { name: "acme_account", text: conceal(account) },
      { name: "acme_root", text: conceal(roots ?? "") },
    ],
    reads: eab === undefined ? [] : [eab.keyVariable],
    findings: [
      ...(eab && !isKey ? [eabFinding(config, eab.keyVariable, key)] : []),
      ...(root !== undefined && roots === undefined ? [rootFinding(config, root)] : []),
    ],
  };
}

async function readRoots(world: World, path: string): Promise<string | undefined> {
  try {
    const text = await world.files.read(path);
    const roots = readCertificates(text ?? "");
    return roots.length > 0 ? roots.map((each) => each.toString()).join("") : undefined;
  } catch (error) {
    if (error instanceof FileReadError) return undefined;
    throw error;
  }
}

function eabFinding(config: ConfigFile, variable: string, value: string | undefined): Finding {
  return {
    code: "D129",
    severity: "error",
    message: value
      ? `${variable} is no key of external account binding: that is base64url, at least 16 letters, digits, _ and -`
      : `${variable}, which holds the key of external account binding, has no value`,
    fix: `write the key that the authority gave you into the environment file: ${variable}=…`,
    at: config.positionOf(["public", "acme", "eab", "keyVariable"]),
  };
}

function rootFinding(config: ConfigFile, path: string): Finding {
  return {
    code: "D129",
    severity: "error",
    message: `${path} holds no certificate that can be read`,
    fix: "name a PEM file with the roots of the authority; paths start at the folder of this file",
    at: config.positionOf(["public", "acme", "root"]),
  };
}

/** Whether the files that the proxy's container mounts have to be written. */
export async function staleTlsFiles(world: World, { secretsPath }: Territory, { tls }: Stack): Promise<boolean> {
  const files = tls?.files ?? [];
  const texts = await Promise.all(files.map(({ name }) => world.files.read(joinPath(secretsPath, name))));
  return files.some(({ text }, index) => texts[index] !== text.reveal());
}

/** Writes them: readable for the proxy's user, inside a folder that only the operator may enter. */
export async function writeTlsFiles(
  world: World,
  { statePath, secretsPath }: Territory,
  { tls }: Stack,
): Promise<void> {
  await world.files.makeDirectory(statePath, 0o700);
  await world.files.makeDirectory(secretsPath, 0o700);
  for (const { name, text } of tls?.files ?? [])
    await world.files.writeAtomic(joinPath(secretsPath, name), text.reveal(), { mode: 0o444, own: true });
}
