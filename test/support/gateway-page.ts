import type { Page } from "playwright-core";

/** Enters the key that an environment file holds into the gateway's page, and runs a snippet there until its output shows. */
export async function runSnippet(page: Page, environmentFile: string): Promise<void> {
  await page.getByTestId("key").fill(/^GATEWAY_API_KEY=(.*)$/m.exec(environmentFile)?.[1] ?? "");
  await page.getByTestId("key-submit").click();
  await page.getByTestId("mode").filter({ hasText: "local" }).waitFor();
  await page.getByTestId("language").selectOption("python");
  await page.getByTestId("code").fill("print('forty-two', 6 * 7)");
  await page.getByTestId("run").click();
  await page.getByTestId("stdout").filter({ hasText: "forty-two 42" }).waitFor();
}
