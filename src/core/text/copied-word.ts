/**
 * A word of a command that people copy into a shell: quoted where the shell would take it for more than one word, or for
 * something else. A home folder that is written as `~/` stays one.
 */
export function copiedWord(word: string): string {
  if (word.startsWith("~/") && word.length > 2) return `~/${copiedWord(word.slice(2))}`;
  return /^[\w/.:=@%+,~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
