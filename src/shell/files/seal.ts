import { createHmac, timingSafeEqual } from "node:crypto";
import { folderOf } from "../../core/stack/stack.ts";
import { FileReadError } from "../../files.ts";
import type { World } from "../../world.ts";

/**
 * A receipt decides what counts as accepted and what is asked early, and it lies in a folder that may have come from
 * somebody else. So it carries a keyed hash, and the key stays with the user, outside of every project.
 */
export interface Sealed {
  readonly seal: string;
  readonly receipt: unknown;
}

/** Where the key of this user is: below XDG_STATE_HOME, or ~/.local/state (XDG Base Directory Specification 0.8). */
export function sealKeyPath(home: string, env: Readonly<Record<string, string | undefined>>): string {
  const state = env["XDG_STATE_HOME"];
  return `${state?.startsWith("/") ? state : `${home}/.local/state`}/sandbox-deploy/receipt-key`;
}

/** The key of this user, or undefined while there is none, or none that can be read: then no seal can be told. */
export function readSealKey(world: Pick<World, "files" | "home" | "env">): Promise<string | undefined> {
  return world.files.read(sealKeyPath(world.home, world.env)).catch((error: unknown) => {
    if (error instanceof FileReadError) return undefined;
    throw error;
  });
}

/** The key of this user, made on first use. */
export async function sealKey(world: World): Promise<string> {
  const known = await readSealKey(world);
  if (known !== undefined) return known;
  const path = sealKeyPath(world.home, world.env);
  const key = Buffer.from(world.randomBytes(32)).toString("hex");
  await world.files.makeDirectory(folderOf(path), 0o700);
  // Two first deployments at once: whoever comes second uses the key of the first.
  return (await world.files.createExclusive(path, key, { mode: 0o600 })) ? key : ((await readSealKey(world)) ?? key);
}

/** Seals a receipt with the key. */
export function seal(key: string, receipt: unknown): Sealed {
  return { seal: hashOf(key, receipt), receipt };
}

/** The receipt in a sealed text, or undefined where the seal is not of this key. */
export function unseal(key: string, text: string): unknown {
  const sealed: unknown = parseJson(text);
  if (typeof sealed !== "object" || sealed === null || !("seal" in sealed) || !("receipt" in sealed)) return undefined;
  const expected = Buffer.from(hashOf(key, sealed.receipt));
  const found = Buffer.from(String(sealed.seal));
  return found.length === expected.length && timingSafeEqual(found, expected) ? sealed.receipt : undefined;
}

/** The version that a sealed text claims, whoever sealed it: only a newer one has a format that this one may not know. */
export function sealedVersion(text: string): number | undefined {
  const sealed = parseJson(text);
  if (typeof sealed !== "object" || sealed === null || !("receipt" in sealed)) return undefined;
  const { receipt } = sealed;
  if (typeof receipt !== "object" || receipt === null || !("version" in receipt)) return undefined;
  return typeof receipt.version === "number" ? receipt.version : undefined;
}

function hashOf(key: string, receipt: unknown): string {
  return createHmac("sha256", key).update(JSON.stringify(receipt)).digest("hex");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
