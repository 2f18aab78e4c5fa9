/** Whether a path is absolute, in its shortest spelling, not the root, and fit for a line of a log. */
export function isCleanPath(path: string): boolean {
  return path.length <= 4096 && /^(?:\/[^/\x00-\x1f\x7f]+)+$/.test(path) && !/\/\.{1,2}(?=\/|$)/.test(path);
}

/** Whether a path in a container is one of those by which the kernel is asked and changed. */
export function isKernelPath(path: string): boolean {
  return /^\/(?:proc|sys|dev)(?:\/|$)/.test(path);
}

/** The rest of a path below a directory, or undefined where it is not below it. */
export function pathBelow(directory: string, path: string): string | undefined {
  return path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : undefined;
}
