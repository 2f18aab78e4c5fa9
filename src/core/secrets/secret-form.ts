import { encodeSecret, isWeakSecret } from "./generate-secret.ts";

/** How a program wants a secret to look. */
export const secretForms = ["base64url", "hex", "fernet", "uuid", "text32"] as const;

/** One of the forms. */
export type SecretForm = (typeof secretForms)[number];

/** How many random bytes a form takes; `wanted` counts only where the form leaves it open. */
export function bytesOf(form: SecretForm, wanted: number): number {
  switch (form) {
    case "base64url":
    case "hex":
      return wanted;
    case "fernet":
      return 32;
    case "uuid":
      return 16;
    case "text32":
      return 23;
  }
}

/** Writes random bytes in a form; each begins with a letter or a digit, so that no program takes it for an option. */
export function writeSecret(form: SecretForm, bytes: Uint8Array): string {
  switch (form) {
    case "base64url":
    case "text32":
      return encodeSecret(bytes);
    case "hex":
      return Buffer.from(bytes).toString("hex");
    case "fernet":
      return fernetKey(bytes);
    case "uuid":
      return uuid(bytes);
  }
}

/** The base64url of exactly 32 bytes, with its padding; the first bit is always 0, or it might begin with a dash. */
function fernetKey(bytes: Uint8Array): string {
  const key = Uint8Array.from(bytes);
  key[0] = (key[0] ?? 0) & 0x7f;
  return Buffer.from(key).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

/** A random UUID, version 4 (RFC 9562). */
function uuid(bytes: Uint8Array): string {
  const own = Uint8Array.from(bytes);
  own[6] = ((own[6] ?? 0) & 0x0f) | 0x40;
  own[8] = ((own[8] ?? 0) & 0x3f) | 0x80;
  return Buffer.from(own)
    .toString("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const patterns: Partial<Record<SecretForm, RegExp>> = {
  hex: /^(?:[0-9a-fA-F]{2})+$/,
  fernet: /^[A-Za-z0-9_-]{43}=$/,
  uuid: /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
  text32: /^.{32}$/s,
};

/** Whether a program that wants this form takes the value; what a person chose may be any text where the form is base64url. */
export function fitsForm(value: string, form: SecretForm): boolean {
  return patterns[form]?.test(value) ?? true;
}

/** In words, for messages. */
export const formTexts: Readonly<Record<SecretForm, string>> = {
  base64url: "letters, digits, - and _",
  hex: "pairs of hexadecimal digits",
  fernet: "a Fernet key: 32 bytes in URL-safe base64, 44 characters",
  uuid: "a UUID",
  text32: "exactly 32 characters",
};

/**
 * About how many bits somebody has to guess: the length times the alphabet that its characters come from. 0 for what
 * everybody knows. Meant for people: a value that looks random may still come from a list.
 */
export function strengthBits(value: string): number {
  const weak = isWeakSecret(value);
  if (weak === "empty" || weak === "placeholder" || weak === "known default") return 0;
  const distinct = Math.log2(new Set(value).size + 1) * value.length;
  return Math.floor(Math.min(value.length * alphabetBits(value), distinct * 1.5));
}

function alphabetBits(value: string): number {
  if (/^[0-9]*$/.test(value)) return Math.log2(10);
  if (/^[0-9a-f-]*$|^[0-9A-F-]*$/.test(value)) return 4;
  if (/^[0-9a-z]*$|^[0-9A-Z]*$/.test(value)) return Math.log2(36);
  return 6;
}
