import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BundledProgram } from "../support/bundled-program.ts";
import { buildGateway, type RunningGateway, startProgram } from "./support/gateway-program.ts";
import { type RedisServer, startRedis } from "./support/redis-server.ts";

const executablePath = "/usr/bin/chromium";
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"];
// Set to a folder to look at the page as these tests see it.
const screenshots = process.env.SCREENSHOTS;

let redis: RedisServer;
let program: BundledProgram;
let gateway: RunningGateway;
let browser: Browser;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  if (!existsSync(executablePath)) throw new Error("chromium is not installed: apt-get install chromium");
  [redis, program] = await Promise.all([startRedis(), buildGateway()]);
  gateway = await startProgram(program, redis);
  browser = await chromium.launch({ executablePath, args: flags });
});
afterAll(async () => {
  await browser?.close();
  gateway?.child.kill("SIGTERM");
  await gateway?.exitCode;
  await redis?.remove();
  await program?.remove();
});
beforeEach(async () => {
  await redis.flush();
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(gateway.url);
});
afterEach(async () => {
  await page.close();
  expect(complaints).toEqual([]);
});

async function unlock(key = gateway.key): Promise<void> {
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Continue" }).click();
}

async function runCode(language: string, code: string): Promise<void> {
  await page.getByLabel("Language").selectOption(language);
  await page.getByLabel("Code", { exact: true }).fill(code);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByTestId("result").waitFor();
}

async function picture(name: string): Promise<void> {
  if (!screenshots) return;
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: `${screenshots}/${name}.png`, fullPage: true });
}

describe("the page", () => {
  it("asks for the key first and says when it is wrong", async () => {
    expect(await page.getByTestId("workspace").isHidden()).toBe(true);
    await picture("key");
    await unlock("not the key");
    await page.getByTestId("problem").waitFor();
    expect(await page.getByTestId("problem").textContent()).toContain("not the gateway's key");
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
  });

  it("shows where code runs, and what a run printed, its exit code and where it ran", async () => {
    await unlock();
    await page.getByTestId("workspace").waitFor();
    expect(await page.getByTestId("mode").textContent()).toBe("local");
    expect(await page.getByTestId("isolation").textContent()).toContain("gateway's container");
    await runCode("node", "console.log('out'); console.error('err'); process.exitCode = 3");
    expect(await page.getByTestId("stdout").textContent()).toBe("out\n");
    expect(await page.getByTestId("stderr").textContent()).toBe("err\n");
    expect(await page.getByTestId("exit-code").textContent()).toBe("exit 3");
    expect(await page.getByTestId("ran-in").textContent()).toContain("gateway's container");
    await picture("result");
  });

  it("shows output and code as text, never as markup", async () => {
    await unlock();
    const markup = "<img src=x onerror=alert(1)><script>alert(2)</script>";
    await runCode("bash", `echo '${markup}'`);
    expect(await page.getByTestId("stdout").textContent()).toBe(`${markup}\n`);
    await page.getByTestId("history-item").first().waitFor();
    expect(await page.locator("main img, main script").count()).toBe(0);
  });

  it("lists the history and still has it, and the key, after a reload", async () => {
    await unlock();
    await runCode("bash", "echo remembered");
    await page.getByTestId("history-item").first().waitFor();
    await page.reload();
    const item = page.getByTestId("history-item").first();
    await item.locator("summary").click();
    expect(await item.textContent()).toContain("remembered");
    await page.getByRole("button", { name: "Lock" }).click();
    expect(await page.getByTestId("workspace").isHidden()).toBe(true);
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
  });

  it.each([
    ["light", 360],
    ["dark", 360],
    ["light", 1280],
    ["dark", 1280],
  ] as const)("fits the window without scrolling sideways: %s, %i pixels", async (colorScheme, width) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    await unlock();
    await runCode("bash", `echo ${"long-".repeat(60)}; echo 'no such thing' >&2; exit 2`);
    await page.getByTestId("history-item").first().waitFor();
    await picture(`${colorScheme}-${width}`);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
  });
});
