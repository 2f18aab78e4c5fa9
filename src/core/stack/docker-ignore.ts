/**
 * Whether a `.dockerignore` keeps a path, relative to the build context, out of the build. Rules as Docker has them: the last
 * pattern that matches the path or a folder above it counts, `!` takes back, `**` crosses folders.
 */
export function isIgnored(text: string, path: string): boolean {
  let ignored = false;
  for (const line of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    const written = line.trim();
    const negated = written.startsWith("!");
    const pattern = cleaned(negated ? written.slice(1).trim() : written);
    if (pattern !== "" && matches(pattern, path)) ignored = !negated;
  }
  return ignored;
}

function cleaned(pattern: string): string {
  return pattern
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

function matches(pattern: string, path: string): boolean {
  const expression = expressionOf(pattern);
  const parts = path.split("/");
  return parts.some((_, index) => expression.test(parts.slice(0, index + 1).join("/")));
}

function expressionOf(pattern: string): RegExp {
  const token = /\*\*\/?|\*|\?|\[[^\]]*\]|\\?./gs;
  const parts = [...pattern.matchAll(token)].map(([part]) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.length > 2 && part.startsWith("[")) return part.replace(/\\(?=[^\]\\-])/g, "\\\\");
    return part.replace(/^\\(?=.)/, "").replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  });
  try {
    return new RegExp(`^${parts.join("")}$`);
  } catch {
    // Docker refuses such a pattern when it builds.
    return /^(?!)$/;
  }
}
