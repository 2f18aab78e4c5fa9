/** What PyYAML's `safe_load` makes of one plain scalar; `refused` says why its constructor raises. */
export type PyScalar =
  | { readonly kind: "null" }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "str"; readonly value: string }
  | { readonly kind: "timestamp"; readonly text: string }
  | { readonly kind: "merge" | "value" }
  | { readonly kind: "refused"; readonly problem: string };

const nullText = /^(?:~|null|Null|NULL|)$/;
const trueText = /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const falseText = /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const intText =
  /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const floatText =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const dateText = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;
const dateTimeText =
  /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+]([0-9]{1,2})(?::([0-9]{2}))?))?$/;

/** The longest decimal integer that Python converts from text before it raises (`sys.int_info.default_max_str_digits`). */
const longestDecimal = 4300;

/** Gives a plain scalar the type that PyYAML's resolver (YAML 1.1) and safe constructor give it. */
export function resolvePlain(text: string): PyScalar {
  if (nullText.test(text)) return { kind: "null" };
  if (trueText.test(text)) return { kind: "bool", value: true };
  if (falseText.test(text)) return { kind: "bool", value: false };
  if (floatText.test(text)) return { kind: "float", value: floatValue(text) };
  if (intText.test(text)) return integer(text);
  if (dateText.test(text) || dateTimeText.test(text)) return timestamp(text);
  if (text === "<<") return { kind: "merge" };
  if (text === "=") return { kind: "value" };
  return { kind: "str", value: text };
}

function integer(text: string): PyScalar {
  const plain = text.replaceAll("_", "");
  const digits = plain.replace(/^[-+]/, "");
  const parts = digits.split(":");
  if (/^0[bx]$/.test(digits)) return { kind: "refused", problem: "is read as a number without digits" };
  if (!/^0[bx0-7]/.test(digits) && parts.some((part) => part.length > longestDecimal)) {
    return { kind: "refused", problem: "is read as a whole number that is too long" };
  }
  const size = parts.length > 1 ? parts.reduce((sum, part) => sum * 60n + BigInt(part), 0n) : magnitude(digits);
  return { kind: "int", value: plain.startsWith("-") ? -size : size };
}

function magnitude(digits: string): bigint {
  if (/^0[0-7]+$/.test(digits)) return BigInt(`0o${digits.slice(1)}`);
  return BigInt(digits);
}

function floatValue(text: string): number {
  const plain = text.replaceAll("_", "").toLowerCase();
  const sign = plain.startsWith("-") ? -1 : 1;
  const digits = plain.replace(/^[-+]/, "");
  if (digits === ".inf") return sign * Number.POSITIVE_INFINITY;
  if (digits === ".nan") return Number.NaN;
  const parts = digits.split(":").map(Number);
  let base = 1;
  let value = 0;
  for (const part of parts.reverse()) {
    value += part * base;
    base *= 60;
  }
  return sign * value;
}

function timestamp(text: string): PyScalar {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, zoneHour = 0, zoneMinute = 0] = (
    dateText.exec(text) ??
    dateTimeText.exec(text) ??
    []
  )
    .slice(1)
    .map((part) => (part === undefined ? 0 : Number(part)));
  const valid =
    year >= 1 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysIn(year, month) &&
    hour < 24 &&
    minute < 60 &&
    second < 60 &&
    zoneHour * 60 + zoneMinute < 24 * 60;
  return valid ? { kind: "timestamp", text } : { kind: "refused", problem: "is read as a date that does not exist" };
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
