/** What a certificate says, as far as anybody here asks; times in milliseconds since 1970. */
export interface Certificate {
  readonly subject: string;
  readonly issuer: string;
  /** DNS names and addresses that it is for, in lower case. */
  readonly names: readonly string[];
  readonly notBefore: number;
  readonly notAfter: number;
  /** SHA-256, as hexadecimal pairs. */
  readonly fingerprint: string;
  readonly isAuthority: boolean;
  /** Such as `RSA 2048` or `EC prime256v1`. */
  readonly key: string;
}

/** Whether a certificate is for a name. A `*` stands for exactly one label, the first (RFC 6125). */
export function coversName({ names }: Pick<Certificate, "names">, name: string): boolean {
  const wanted = name.toLowerCase();
  const [, ...rest] = wanted.split(".");
  const wildcard = rest.length > 1 ? `*.${rest.join(".")}` : undefined;
  return names.some((each) => each === wanted || each === wildcard);
}

/**
 * What is left of a certificate's lifetime: 1 when it begins, 0 when it ends, and below 0 afterwards. Lifetimes differ from
 * days to months, so what counts is the part and not the days.
 */
export function lifetimeLeft(
  { notBefore, notAfter }: Pick<Certificate, "notBefore" | "notAfter">,
  now: number,
): number {
  const whole = notAfter - notBefore;
  return whole <= 0 ? (now < notAfter ? 1 : 0) : Math.min(1, (notAfter - now) / whole);
}

/** How urgent what is left of a lifetime is: Caddy and others renew at a third, so less is a warning, and half of that an alarm. */
export type Urgency = "fine" | "warning" | "error";

/** Judges what `lifetimeLeft` says. */
export function urgencyOf(left: number): Urgency {
  if (left < 1 / 6) return "error";
  return left < 1 / 3 ? "warning" : "fine";
}

/** What is left of a lifetime for people: the part and the time, such as `62 % (56 days)`. */
export function lifetimeText(certificate: Pick<Certificate, "notBefore" | "notAfter">, now: number): string {
  const left = lifetimeLeft(certificate, now);
  if (left < 0) return `ended ${spanText(now - certificate.notAfter)} ago`;
  return `${Math.floor(left * 100)} % (${spanText(certificate.notAfter - now)})`;
}

/** A time span in the largest unit that leaves a number above one. */
export function spanText(milliseconds: number): string {
  const units: readonly (readonly [string, number])[] = [
    ["day", 86_400_000],
    ["hour", 3_600_000],
    ["minute", 60_000],
    ["second", 1000],
  ];
  const [name, size] = units.find(([, each]) => milliseconds >= 2 * each) ?? ["second", 1000];
  const count = Math.floor(milliseconds / size);
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}
