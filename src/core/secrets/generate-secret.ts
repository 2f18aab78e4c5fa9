/**
 * Writes random bytes as a secret in the base64url alphabet that begins with a letter, so that no program takes it for
 * an option or trips over a leading `-` or `_`. The letter is always the same and the rest is plain base64url: different
 * bytes give different secrets of equal length, and no entropy is lost (32 bytes: 44 characters, 24 bytes: 33).
 */
export function encodeSecret(bytes: Uint8Array): string {
  return `k${Buffer.from(bytes).toString("base64url")}`;
}

/** Why a secret is weak. */
export type WeakReason =
  | "empty"
  | "placeholder"
  | "known default"
  | "same as the example"
  | "too short"
  | "too regular";

/** Fewer characters than this are too short for any generated secret. */
export const minimumSecretLength = 16;

// What documentation and examples put in the place of a secret, without case and separators.
const knownDefaults = new Set(
  (
    "admin admin123 administrator changeit changeme changethis default defaultpassword demo dev development example guest " +
    "insecure letmein minio minio123 minioadmin mypassword mysecret mysecretpassword mysql none null openai pass password " +
    "password1 password123 passw0rd postgres postgrespassword qwerty redis redispassword root rootpassword sandbox secret " +
    "secretkey secretpassword supersecret supersecretkey superuser test testing user yoursecretkey 123456 12345678 " +
    "123456789 1234567890 deadbeef foobar hunter2 langgraph deerflow devsecretchangeinproduction"
  ).split(" "),
);
const sayings =
  /change[-_ ]?(?:me|this|it|in[-_ ]?prod)|replace[-_ ]?(?:me|this|with)|do[-_ ]?not[-_ ]?use|insecure|not[-_ ]?secure/i;
const placeholder = new RegExp(
  [
    "^<.*>$|^\\[.*\\]$|^\\{\\{.*\\}\\}$|^\\$\\{.*\\}$",
    "^(?:your|my|insert|enter|put|add|set|paste)[-_ ][a-z_ -]+$|[-_]here$",
    "^(?:todo|tbd|fixme)\\b|\\.\\.\\.|…|^(?:[a-z]{2,3}-)?(?:x{4,}|\\*{3,})",
  ].join("|"),
  "i",
);
/** Below this a value of 16 characters or more repeats itself; random hex of 16 characters has about 52. */
const minimumEntropyBits = 36;

/** Says why a secret is weak, or undefined when nothing is known against it. `example` is its value in a template. */
export function isWeakSecret(value: string, { example }: { readonly example?: string } = {}): WeakReason | undefined {
  const bare = value.trim();
  if (bare === "") return "empty";
  if (placeholder.test(bare)) return "placeholder";
  if (knownDefaults.has(bare.toLowerCase().replace(/[^a-z0-9]/g, "")) || sayings.test(bare)) return "known default";
  if (example !== undefined && bare === example.trim()) return "same as the example";
  if (bare.length < minimumSecretLength) return "too short";
  return isRegular(bare) ? "too regular" : undefined;
}

function isRegular(value: string): boolean {
  return repeats(value) || longestRun(value) > value.length / 2 || entropyBits(value) < minimumEntropyBits;
}

/** Whether the value is one part again and again; the last one may be cut off. */
function repeats(value: string): boolean {
  for (let period = 1; period <= value.length / 2; period += 1) {
    if (value.startsWith(value.slice(period))) return true;
  }
  return false;
}

/** The longest stretch of neighbours that count up, count down or stay, such as `abcdef` or `9876`. */
function longestRun(value: string): number {
  let longest = 1;
  let run = 1;
  let step: number | undefined;
  for (let at = 1; at < value.length; at += 1) {
    const next = value.charCodeAt(at) - value.charCodeAt(at - 1);
    const continues = Math.abs(next) <= 1 && next === step;
    run = continues ? run + 1 : Math.abs(next) <= 1 ? 2 : 1;
    step = next;
    longest = Math.max(longest, run);
  }
  return longest;
}

/** Shannon's entropy of the characters, times their number. */
function entropyBits(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  const shares = [...counts.values()].map((count) => count / value.length);
  return -value.length * shares.reduce((sum, share) => sum + share * Math.log2(share), 0);
}
