import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repositoryRoot } from "../support/stack.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "node-advice-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const build =
  "unpack a build from https://nodejs.org/en/download and name its program: SANDBOX_DEPLOY_NODE=/opt/node/bin/node";

test.each([
  ['ID=debian\nVERSION_ID="12"', `Debian 12 packages an older one; ${build}`],
  ['ID=debian\nVERSION_ID="13"', "install it as root with: apt install nodejs npm"],
  ["ID=debian\nVERSION_CODENAME=forky", "install it as root with: apt install nodejs npm"],
  ['ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"', `Ubuntu 24.04 packages an older one; ${build}`],
  ['ID=ubuntu\nVERSION_ID="26.04"', "install it as root with: apt install nodejs npm"],
  ["ID=fedora\nVERSION_ID=42", "install it as root with: dnf install nodejs npm"],
  ['ID="rocky"\nVERSION_ID="9.4"', "install it as root with: dnf module install nodejs:22"],
  ['ID="rhel"\nVERSION_ID="10.0"', "install it as root with: dnf install nodejs npm"],
  ["ID=alpine\nVERSION_ID=3.22.1", "install it as root with: apk add nodejs npm"],
  ["ID=plan9", build],
  ["", build],
])("%j is told how to get Node.js, by a script that needs no other program", (release, expected) => {
  const path = join(folder, "os-release");
  writeFileSync(path, `${release}\n`);
  const script = join(repositoryRoot, "scripts/node-advice.sh");
  const { stdout, status } = spawnSync("/bin/sh", [script, path], { encoding: "utf8", env: { PATH: "/nowhere" } });
  expect({ stdout, status }).toEqual({ stdout: `${expected}\n`, status: 0 });
});
