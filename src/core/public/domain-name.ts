const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
/** What an editor can check of a domain. */
export const domainPattern = new RegExp(`^(?=.*[a-z])${label}(?:\\.${label})*$`);

/** Whether this is a name as the DNS knows it (RFC 1035), in lower case, and no address. */
export function isDomainName(text: string): boolean {
  return text.length <= 253 && domainPattern.test(text);
}

/**
 * What a domain is, and where the text leads to one, how that is written: browsers read people's spellings in the same
 * way. Undefined for a domain.
 */
export function domainProblem(text: string): string | undefined {
  if (isDomainName(text)) return undefined;
  const rule = "a name such as agents.example.org: lower case, without https://, port, path or a dot at the end";
  const url = `https://${text.trim().replace(/^[a-z]+:\/\//i, "")}`;
  const meant = URL.canParse(url) ? new URL(url).hostname.replace(/\.$/, "") : "";
  if (/^[\d.]+$|^\[/.test(meant)) return `${rule}; an address is no name`;
  return isDomainName(meant) ? `${rule}; that is ${meant}` : rule;
}
