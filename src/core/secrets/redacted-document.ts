/** Redacts every text of a JSON document before it is written, so that the result is JSON whatever the secrets are. */
export function redactedDocument(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactedDocument(item, redact));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [redact(key), redactedDocument(item, redact)]));
}
