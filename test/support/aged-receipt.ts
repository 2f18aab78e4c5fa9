import { readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { seal, sealKeyPath, unseal } from "../../src/shell/files/seal.ts";

/** What the first version that sealed its receipts wrote down. */
const firstFields = [
  ...["version", "project", "mode", "because", "stack", "compose", "model", "services", "images", "imageIds"],
  ...["privileges", "time", "who", "toolVersion"],
];

/** Leaves of a folder's receipt what an earlier version of the tool wrote of the same deployment, sealed by the same user. */
export async function ageReceipt(folder: string): Promise<void> {
  const path = join(folder, ".deploy/receipt.json");
  const key = await readFile(sealKeyPath(homedir(), process.env), "utf8");
  const receipt = unseal(key, await readFile(path, "utf8"));
  if (typeof receipt !== "object" || receipt === null) throw new Error(`${path} has no seal of this user`);
  const fields = Object.entries(receipt).filter(([name]) => firstFields.includes(name));
  const older = { ...Object.fromEntries(fields), toolVersion: "0.1.0" };
  await writeFile(path, JSON.stringify(seal(key, older)));
}
