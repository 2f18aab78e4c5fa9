/** An address as it is shown: without user, password and query, which may be secrets. */
export function shownUrl(url: string): string {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/is.exec(url.trim()) ?? [];
  const [, address = "", fragment = ""] = /^([^?#]*)[^#]*(#.*)?$/s.exec(rest) ?? [];
  return `${scheme.toLowerCase()}${address.replace(/^[^/]*@/, "")}${fragment}`;
}
