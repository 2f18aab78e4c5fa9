import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isMap, isScalar, parse, parseDocument, visit } from "yaml";
import { root } from "./model.ts";

/** The variables of all Compose files, each with the default it has there; an empty one where there is none. */
async function variablesOfCompose(): Promise<Map<string, string>> {
  const folder = join(root, "compose");
  const found = new Map<string, string>();
  for (const file of (await readdir(folder)).filter((name) => /^docker-compose.*\.yaml$/.test(name))) {
    visit(parseDocument(await readFile(join(folder, file), "utf8"), { merge: true, logLevel: "silent" }), {
      Scalar(_key, { value }) {
        if (typeof value !== "string") return;
        for (const [, name = "", fallback = ""] of value.matchAll(/\$\{([A-Z0-9_]+)(?::-([^}]*))?/g)) {
          found.set(name, fallback);
        }
      },
      Pair(_key, { key, value }) {
        // A build argument without a value is read from the variable of its name.
        if (!isScalar(key) || key.value !== "args" || !isMap(value)) return;
        for (const item of value.items) {
          if (isScalar(item.key) && (!isScalar(item.value) || item.value.value === null))
            found.set(String(item.key.value), "");
        }
      },
    });
  }
  found.delete("COMPOSE_PROJECT_NAME");
  return found;
}

const template = (name: string) => readFile(join(root, "templates", name), "utf8");

async function variablesOfTemplate(): Promise<{ name: string; value: string; active: boolean }[]> {
  return [...(await template("env")).matchAll(/^(#?)([A-Z0-9_]+)=(.*)$/gm)].map(([, mark, name = "", value = ""]) => ({
    name,
    value,
    active: mark === "",
  }));
}

test("templates/env names every variable that the Compose files read, and no other, once", async () => {
  const named = (await variablesOfTemplate()).map(({ name }) => name);
  expect(named.toSorted()).toEqual([...(await variablesOfCompose()).keys()].toSorted());
});

test("a commented variable in templates/env shows the default that the Compose files have", async () => {
  const defaults = await variablesOfCompose();
  const commented = (await variablesOfTemplate()).filter(
    ({ active, name }) => !active && name !== "PROVISIONER_HEALTHCHECK",
  );
  expect(commented.length).toBeGreaterThan(0);
  for (const { name, value } of commented) expect(`${name}=${value}`).toBe(`${name}=${defaults.get(name)}`);
});

test("templates/env sets nothing but the names of secrets, and gives none a value", async () => {
  const active = (await variablesOfTemplate()).filter((variable) => variable.active);
  expect(active.map(({ name, value }) => `${name}=${value}`)).toEqual([
    "GATEWAY_API_KEY=",
    "STORE_PASSWORD=",
    "PROVISIONER_API_KEY=",
  ]);
});

test("templates/config.yaml chooses the mode that grants least, with shell commands off", async () => {
  expect(parse(await template("config.yaml"), { version: "1.1" })).toEqual({
    sandbox: { use: "deerflow.sandbox.local:LocalSandboxProvider", allow_host_bash: false },
  });
});

test("each alternative in templates/config.yaml is valid when its comment marks are taken away", async () => {
  const paragraphs = (await template("config.yaml")).split("\n\n");
  const alternatives = paragraphs
    .map((text) => text.slice(Math.max(0, text.indexOf("# sandbox:"))))
    .filter((text) => text.startsWith("# sandbox:"))
    .map((text): unknown => parse(text.replaceAll(/^# /gm, ""), { version: "1.1" }));
  const use = "deerflow.community.aio_sandbox:AioSandboxProvider";
  expect(alternatives).toEqual([
    { sandbox: { use } },
    { sandbox: { use, provisioner_url: "http://provisioner:8002", provisioner_api_key: "$PROVISIONER_API_KEY" } },
  ]);
});
