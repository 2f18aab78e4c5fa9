const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const dayMilliseconds = 86_400_000;

/** Milliseconds since 1970 of a time as engines write it (RFC 3339); undefined for anything else. */
export function parseTimestamp(text: string): number | undefined {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(?:Z|([+-])(\d\d):(\d\d))$/.exec(text.trim());
  if (found === null) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number);
  const offset = (found[8] === "-" ? -1 : 1) * (Number(found[9] ?? 0) * 60 + Number(found[10] ?? 0));
  const fraction = Number(`0${found[7] ?? ""}`);
  return moment(year, month, day) + ((hour * 60 + minute - offset) * 60 + second + fraction) * 1000;
}

/** Milliseconds since 1970 of a `Date` header (RFC 9110, its preferred form); undefined for anything else. */
export function parseHttpDate(text: string): number | undefined {
  const found = /^\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/.exec(text.trim());
  const month = months.indexOf(found?.[2] ?? "") + 1;
  if (found === null || month === 0) return undefined;
  const [hour = 0, minute = 0, second = 0] = found.slice(4, 7).map(Number);
  return moment(Number(found[3]), month, Number(found[1])) + ((hour * 60 + minute) * 60 + second) * 1000;
}

/** The begin of a day; the years are counted from March, so that the leap day is the last one. */
function moment(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const days = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leaps = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  return (365 * shifted + leaps + days - 719_468) * dayMilliseconds;
}
