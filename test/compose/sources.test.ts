import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { root } from "./model.ts";

const folder = join(root, "compose");
const names = (await readdir(folder)).filter((name) => /^docker-compose.*\.yaml$/.test(name));
const source = (name: string) => readFile(join(folder, name), "utf8");

test.each(names.filter((name) => name !== "docker-compose.yaml"))(
  "%s says in its first lines what it grants and when it is used",
  async (name) => {
    const header = /^(#.*\n)+/.exec(await source(name))?.[0] ?? "";
    expect(header).toMatch(/^# Grants: /m);
    expect(header).toMatch(/^# Used: /m);
  },
);

const files = z.object({
  services: z.record(z.string(), z.object({ volumes: z.array(z.unknown()).default([]) })),
});
const careful = z.union([
  z.object({ type: z.enum(["volume", "tmpfs"]) }),
  z.object({ type: z.literal("bind"), bind: z.object({ create_host_path: z.literal(false) }) }),
]);

// Asked of the text, since what Compose does without this key differs between its versions and the forms of a volume.
test.each(names)("every bind in %s says itself that its source must exist", async (name) => {
  const { services } = files.parse(parse(await source(name), { merge: true, logLevel: "silent" }));
  const volumes = Object.values(services).flatMap((service) => service.volumes);
  expect(volumes.filter((volume) => !careful.safeParse(volume).success)).toEqual([]);
});

test("no two Compose files have an extension of one name: older Compose would replace the first by the second", async () => {
  const parsed = await Promise.all(names.map(async (name) => Object.keys(parse(await source(name), { merge: true }))));
  const extensions = parsed.flat().filter((key) => key.startsWith("x-sandbox-deploy"));
  expect(extensions.length).toBeGreaterThan(1);
  expect(new Set(extensions).size).toBe(extensions.length);
});
