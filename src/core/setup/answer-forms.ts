import type { Answers, Choice, Question } from "./question.ts";

/** An answer has to be one of the choices. */
export function oneOf(choices: readonly Choice[]): Question["problemOf"] {
  const values = choices.map(({ value }) => value);
  return (value) => (values.includes(value) ? undefined : `has to be one of ${values.join(", ")}`);
}

/** An answer has to be a whole number within these bounds. */
export function whole(least: number, most: number): Question["problemOf"] {
  return (value) =>
    /^\d{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most
      ? undefined
      : `has to be a whole number from ${least} to ${most}`;
}

/** Why an answer is no path. */
export function pathProblem(value: string): string | undefined {
  return value.trim() === value && value !== "" && !/\p{Cc}/u.test(value) ? undefined : "has to be the path of a file";
}

/** Less than this and the gateway does not start; Docker itself wants no less than 6 MiB. */
const leastMebibytes = { local: 128, aio: 16 };

/** Why an answer is no size of memory. */
export function memoryProblem(value: string, { mode }: Answers): string | undefined {
  const least = mode === "local" ? leastMebibytes.local : leastMebibytes.aio;
  return mebibytesOf(value) >= least ? undefined : `has to be a size from ${least}m on, such as 512m or 2g`;
}

/** A size such as `512m` or `2g` in MiB; zero where it is none. */
export function mebibytesOf(size: string): number {
  const [, count, unit] = /^([1-9]\d{0,7})([mg])$/.exec(size) ?? [];
  return count === undefined ? 0 : Number(count) * (unit === "g" ? 1024 : 1);
}

/** Whether an address is one of this machine alone; none at all is the default, which is. */
export function isLoopback(address: string | undefined): boolean {
  return address === undefined || address === "" || address === "::1" || /^127(\.\d{1,3}){3}$/.test(address);
}

/** Whether a text is an IP address of either version. */
export function isAddress(text: string): boolean {
  const parts = text.split(".");
  const isFour = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
  return (
    isFour || (/^[0-9a-f:]+$/i.test(text) && text.includes("::")) || /^([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$/i.test(text)
  );
}

/** Whether an address is of a network that is no part of the internet: RFC 1918, RFC 6598 (which VPNs use) and RFC 4193. */
export function isPrivate(address: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][0-9a-f]{2}:)/i.test(
    address,
  );
}
