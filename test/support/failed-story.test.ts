import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withoutSecrets } from "./failed-story.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "failed-story-"));
  await mkdir(join(folder, ".deploy/secrets"), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

test("what a failed test writes has no secret of its stack in it, from wherever that is known, in no spelling", async () => {
  const planted = {
    environment: "Env$ecret/of+the=file",
    file: "FileSecret&of<the>store",
    before: "Before-the-rotation-it-was",
    after: "After/the%rotation it is",
  };
  await writeFile(join(folder, ".env"), `PORT=2026\nAPI_KEY='${planted.environment}'\n`);
  await writeFile(join(folder, ".deploy/secrets/token"), planted.file);
  const journal = { before: `DB_PASSWORD='${planted.before}'\n`, after: `DB_PASSWORD='${planted.after}'\n` };
  await writeFile(join(folder, ".deploy/rotation.json"), JSON.stringify(journal));
  const spellings = Object.values(planted).flatMap((secret) => [
    secret,
    secret.replaceAll("$", () => "$$"),
    encodeURIComponent(secret),
    JSON.stringify(secret),
    Buffer.from(secret).toString("base64"),
  ]);
  const story = `$ deploy up -> 1\nport 2026\n--- web-1\n${spellings.join("\nlogged ")}\n`;
  const told = await withoutSecrets(story, folder);
  for (const spelling of spellings) expect(told).not.toContain(spelling);
  expect(told).toContain("$ deploy up -> 1\nport 2026\n--- web-1\n");
});
