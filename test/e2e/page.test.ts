import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStack, platformConfigs, type TestStack } from "../support/stack.ts";

const quietFlags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

describe("the page at /", () => {
  let stack: TestStack;
  let profile: string;
  let browser: BrowserContext;
  beforeAll(async () => {
    stack = await createStack("page", platformConfigs.local);
    await stack.deployOk("up", "--yes");
    profile = await mkdtemp(join(tmpdir(), "sandbox-deploy-chromium-"));
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: "/usr/bin/chromium",
      headless: true,
      args: quietFlags,
    });
  });
  afterAll(async () => {
    await browser?.close();
    await rm(profile, { recursive: true, force: true });
    await stack.dispose();
  });

  it("runs a snippet and shows its output and the mode", async () => {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    await page.goto(stack.url);
    await page.getByTestId("key").fill(/^GATEWAY_API_KEY=(.*)$/m.exec(await stack.read(".env"))?.[1] ?? "");
    await page.getByTestId("key-submit").click();
    await page.getByTestId("mode").filter({ hasText: "local" }).waitFor();
    await page.getByTestId("language").selectOption("python");
    await page.getByTestId("code").fill("print('forty-two', 6 * 7)");
    await page.getByTestId("run").click();
    await page.getByTestId("stdout").filter({ hasText: "forty-two 42" }).waitFor();
    expect(await page.getByTestId("exit-code").textContent()).toContain("0");
    await page.getByTestId("history").filter({ hasText: "forty-two" }).waitFor();
    expect(problems).toEqual([]);
  });
});
