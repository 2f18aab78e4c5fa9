import { findingCodes } from "../findings/finding-codes.ts";

type FindingCode = keyof typeof findingCodes;

/** A code as somebody typed it, or undefined where there is none like it. */
export function codeNamed(text: string): FindingCode | undefined {
  const wanted = text.toUpperCase();
  return codes().find((code) => code === wanted);
}

/** Codes near one that does not exist: those of its ten. */
export function codesNear(text: string): string[] {
  const start = text.toUpperCase().slice(0, 3);
  return codes().filter((code) => code.startsWith(start));
}

/** The page that has a section for each code, in the tool's folder. */
export const explanationsPath = "docs/troubleshooting.md";

/**
 * What that page says of a code: its section between the markers, as plain text. Empty where the page has none, so that its
 * title still stands.
 */
export function explanationOf(code: string, page: string): string {
  const [, region = ""] = /<!-- codes -->\n([\s\S]*?)<!-- \/codes -->/.exec(page) ?? [];
  const section = region.split(/^(?=## D\d{3}$)/m).find((each) => each.startsWith(`## ${code}\n`)) ?? "";
  const [, , ...advice] = section.trim().split("\n\n");
  return advice.join("\n\n").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
}

function codes(): FindingCode[] {
  return Object.keys(findingCodes).filter((code): code is FindingCode => code in findingCodes);
}
