/** What clears the line, so that a viewer which knows no sections shows none of their marks. */
const clear = "\r\u001b[0K";

/** The line that opens a part of the log, folded, under a title; the time in seconds since 1970. */
export function sectionStart(name: string, title: string, unixSeconds: number): string {
  return `\u001b[0Ksection_start:${unixSeconds}:${name}[collapsed=true]${clear}${title}`;
}

/** The line that closes the part of that name. */
export function sectionEnd(name: string, unixSeconds: number): string {
  return `\u001b[0Ksection_end:${unixSeconds}:${name}${clear}`;
}
