import { createHash, createHmac } from "node:crypto";

/** The SHA-256 of a text in hex; only for what is no secret. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** An HMAC-SHA-256 in hex: tells whether a text with secrets changed, and says nothing about them to who lacks the key. */
export function keyedFingerprint(key: string, text: string | Uint8Array): string {
  return createHmac("sha256", key).update(text).digest("hex");
}
