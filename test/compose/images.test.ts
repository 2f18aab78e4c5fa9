import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { composeModel, root } from "./model.ts";

const names = ["gateway", "guard", "proxy", "store", "sandbox"] as const;
const everywhere = [
  { mode: "aio", cliAuth: false, bindHost: undefined },
  { mode: "provisioner", cliAuth: false, bindHost: undefined },
] as const;

const dockerfile = (name: string) => readFile(join(root, "compose/images", name, "Dockerfile"), "utf8");
const bases = (text: string) =>
  [...text.matchAll(/^ARG ([A-Z]+_IMAGE)=(\S+)$/gm)].map(([, name, image]) => ({ name, image }));

test.each(names)("the base image of %s can be replaced and is pinned by tag and digest", async (name) => {
  const text = await dockerfile(name);
  const [base, ...others] = bases(text);
  expect(others).toEqual([]);
  expect(base?.image).toMatch(/^[a-z]+:[a-z0-9.-]*\d[a-z0-9.-]*@sha256:[0-9a-f]{64}$/);
  expect([...text.matchAll(/^FROM (.*)$/gm)].map(([, from]) => from)).toEqual([`\${${base?.name}}`]);
});

test("the same base is pinned to the same digest everywhere", async () => {
  const pins = (await Promise.all(names.map(dockerfile))).flatMap(bases);
  expect(new Set(pins.map(({ image }) => image)).size).toBe(new Set(pins.map(({ name }) => name)).size);
});

test.each(names)("the image of %s ends as a user who is not root", async (name) => {
  const users = [...(await dockerfile(name)).matchAll(/^USER (.*)$/gm)].map(([, user]) => user);
  expect(users.at(-1)).toMatch(/^[1-9]\d*:[1-9]\d*$/);
});

test("a service runs as the user that its image was made for", async () => {
  for (const combination of everywhere) {
    const { services } = await composeModel(combination);
    for (const [name, { build, user }] of Object.entries(services)) {
      if (build === undefined) continue;
      const text = await readFile(join(root, build.dockerfile), "utf8");
      expect(text, name).toContain(`\nUSER ${user}\n`);
    }
  }
});

test("a base image named in .env reaches the build, and without one the pin in the Dockerfile counts", async () => {
  const [aio] = everywhere;
  const settings = ["NODE_IMAGE=node-of-mine:1", "CADDY_IMAGE=caddy-of-mine:1", "REDIS_IMAGE=redis-of-mine:1"];
  const named = await composeModel(aio, settings);
  const unnamed = await composeModel(aio);
  for (const [name, { build }] of Object.entries(named.services)) {
    const base = bases(await readFile(join(root, build?.dockerfile ?? ""), "utf8"))[0]?.name ?? "";
    expect(build?.args, name).toEqual({ [base]: `${base.replace("_IMAGE", "").toLowerCase()}-of-mine:1` });
    expect(unnamed.services[name]?.build?.args, name).toEqual({});
  }
});

test("every image has a tag that is a version, and ours is the version in package.json", async () => {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(root, "package.json"), "utf8")));
  for (const combination of everywhere) {
    const { services } = await composeModel(combination);
    for (const { image } of Object.values(services)) {
      expect(image).toMatch(/:\d+\.\d+\.\d+$/);
      if (image.startsWith("sandbox-deploy/")) expect(image.split(":")[1]).toBe(version);
    }
  }
});
