import { createHash, timingSafeEqual } from "node:crypto";

/** Answers whether an Authorization header carries the key. */
export type KeyCheck = (authorization: string | undefined) => boolean;

/** Compares `Bearer <key>` in constant time: hashes have equal lengths, so not even the key's length shows. */
export function createKeyCheck(apiKey: string): KeyCheck {
  const expected = sha256(apiKey);
  return (authorization) => {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1] ?? "";
    return timingSafeEqual(sha256(given), expected) && given !== "";
  };
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
