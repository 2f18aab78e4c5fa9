import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "../../src/core/doctor");

/** What stands before the first line break of a text: there a remedy has its command. */
const commands = readdirSync(folder)
  .filter((name) => name !== "explanation.ts")
  .flatMap((name) =>
    readFileSync(join(folder, name), "utf8")
      .split("\n")
      .flatMap((line) => /^[^`"*]*[`"](.+?)(?<!\\)\\n/.exec(line)?.[1] ?? [])
      .filter((command) => !/^\$\{\w+\}$/.test(command))
      .map((command) => [name, command] as const),
  );

const programs = ["./deploy", "apt-get", "curl", "df", "dnf", "docker", "du", "free", "getent", "kubectl", "newgrp"];
const others = ["sudo", "systemctl", "timedatectl", "unset"];

test("remedies of doctor with a command to copy are many", () => expect(commands.length).toBeGreaterThan(20));

test.each(commands)("%s: %s is a command that can be copied whole", (_name, command) => {
  const line = command.replace(/\$\{[^}]*\}/g, "X").replaceAll("\\\\n", "");
  expect([...programs, ...others]).toContain(line.split(" ")[0]);
  execFileSync("sh", ["-n", "-c", line]);
});
