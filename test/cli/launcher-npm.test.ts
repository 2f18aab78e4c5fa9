import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Checkout, makeCheckout } from "../support/launcher-checkout.ts";

let checkout: Checkout;
beforeEach(async () => {
  checkout = await makeCheckout();
});
afterEach(() => checkout.remove());

/** What the launcher says where `npm ci` prints this and fails. */
async function saidAbout(output: string): Promise<string> {
  await checkout.write(join(checkout.root, "output"), output);
  await checkout.write(join(checkout.bin, "npm"), `#!/bin/sh\ncat "${checkout.root}/output"\nexit 1\n`, 0o755);
  const { code, stderr } = await checkout.run(["plan"]);
  expect(code).toBe(3);
  return stderr;
}

const help = (word: string) =>
  ["Clean install a project", "", "Usage:", "npm ci", "", "Options:", "[--omit <dev|optional|peer>]"]
    .concat(Array.from({ length: 40 }, (_, index) => `  --option-${index}`))
    .map((line) => `${word} ${line}`.trimEnd());

describe("why npm ci failed", () => {
  test.each(["npm error", "npm ERR!"])("is shown by its %s lines, without the help behind them", async (word) => {
    const lines = [
      "npm warn Unknown user config",
      `${word} code EUSAGE`,
      word,
      `${word} \`npm ci\` can only install packages when your package.json and package-lock.json are in sync.`,
      `${word} Missing: zx@8.0.0 from lock file`,
      ...help(word),
      `${word} A complete log of this run can be found in: debug.log`,
    ];
    const said = await saidAbout(`${lines.join("\n")}\n`);
    expect(said.split("\n").filter((line) => line.startsWith("npm"))).toEqual([lines[1], lines[3], lines[4]]);
    expect(said).toContain("deploy: npm could not install the packages (above; all of it in ");
  });

  test("is shown by the end of what npm said where none of its lines is an error", async () => {
    const said = await saidAbout(Array.from({ length: 40 }, (_, index) => `line ${index}\n`).join(""));
    expect(said).toContain("line 25\n");
    expect(said).toContain("line 39\n");
    expect(said).not.toContain("line 24\n");
  });

  test("is at most fifteen lines, since the rest is in the log", async () => {
    const said = await saidAbout(Array.from({ length: 40 }, (_, index) => `npm error reason ${index}\n`).join(""));
    expect(said.match(/^npm error/gm)?.length).toBe(15);
    expect(said).toContain("npm error reason 0\n");
  });
});
