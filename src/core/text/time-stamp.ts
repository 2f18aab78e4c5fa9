/** The digits of a time (ISO 8601 in UTC), as ids and the names of files have them: `20261121-154012`. */
export function timeStamp(time: string): string {
  const digits = time.replace(/\D/g, "");
  return `${digits.slice(0, 8)}-${digits.slice(8, 14)}`;
}
