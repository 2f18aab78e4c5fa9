/** Shows the scheme, host and port of an http(s) URL as `= …`, or `set`: what else it holds may be a credential. */
export function describeUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol)) return "set";
  // A password with a slash in it ends up in the path, or as a port: then nothing of the text can be trusted.
  const credentials = url.username !== "" || url.password !== "";
  if (text.split("@").length - 1 > (credentials ? 1 : 0)) return "set";
  return `= ${url.protocol}//${url.host}`;
}
