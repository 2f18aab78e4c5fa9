import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generatedNames } from "../../../src/core/secrets/generated-names.ts";

const compose = join(import.meta.dirname, "../../../compose");

test("the secrets that a shipped Compose file asks for are found without Compose", () => {
  const of = (name: string) => generatedNames(readFileSync(join(compose, name), "utf8"));
  expect(of("docker-compose.yaml")).toEqual(["GATEWAY_API_KEY", "STORE_PASSWORD"]);
  expect(of("docker-compose.provisioner.yaml")).toEqual(["PROVISIONER_API_KEY"]);
  expect(of("docker-compose.dood-raw.yaml")).toEqual([]);
});

test.each([
  "",
  "[",
  "- a\n",
  "x-sandbox-deploy: 3\n",
  "x-sandbox-deploy:\n  secrets: [A]\n",
  "other: { secrets: { A: {} } }\n",
])("%j asks for none", (text) => {
  expect(generatedNames(text)).toEqual([]);
});
