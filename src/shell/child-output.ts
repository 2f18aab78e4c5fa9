/** Passes output on line by line, without empty lines. */
export function eachLine(progress: (line: string) => void): (chunk: string) => void {
  return (chunk) => {
    for (const line of chunk.split("\n")) if (line.trim() !== "") progress(line.trimEnd());
  };
}
