import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSnippet } from "../support/gateway-page.ts";
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
    await runSnippet(page, await stack.read(".env"));
    expect(await page.getByTestId("exit-code").textContent()).toContain("0");
    await page.getByTestId("history").filter({ hasText: "forty-two" }).waitFor();
    expect(problems).toEqual([]);
  });
});
