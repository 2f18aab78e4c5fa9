import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Files of the tool's state that are no whole JSON document, or no lines of them, below its folder. */
export async function halfWritten(statePath: string): Promise<string[]> {
  const names = await readdir(statePath, { recursive: true }).catch((): string[] => []);
  const checked = await Promise.all(
    names.map(async (name) => {
      const text = /\.jsonl?$/.test(name) ? await readFile(join(statePath, name), "utf8") : undefined;
      const documents = name.endsWith(".jsonl") ? (text ?? "").split("\n").filter((line) => line !== "") : [text];
      return documents.every((document) => document === undefined || isJson(document)) ? [] : [name];
    }),
  );
  return checked.flat();
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
