import type { ComposeModel } from "../stack/model.ts";
import type { DataPassword } from "./data-password.ts";

/** What becomes of a secret that gets a new value. */
export const secretClasses = ["session", "volume", "restart", "at-rest", "foreign"] as const;

/**
 * One of the classes: `session` logs everyone out, `volume` is kept in data and has to be changed there first, `restart` is
 * read at each start, `at-rest` encrypts data that would be lost, `foreign` is somebody else's key.
 */
export type SecretClass = (typeof secretClasses)[number];

/** Names of keys that encrypt what is stored: a new one makes it unreadable. */
const encrypting =
  /(?:^|_)(?:ENCRYPTION|ENCRYPT|FERNET|MASTER|VAULT|AT_REST|DATA|CREDENTIALS?_ENCRYPTION)_?(?:KEY|SECRET)S?(?:$|_)/i;

/** The class of a secret: what the Compose file says, else what can be seen of it. */
export function classOf(model: ComposeModel, name: string, passwords: readonly DataPassword[]): SecretClass {
  const generated = model.generatedSecrets[name];
  if (generated?.class !== undefined) return generated.class;
  if (passwords.length > 0) return "volume";
  if (encrypting.test(name)) return "at-rest";
  return generated === undefined ? "foreign" : "restart";
}
