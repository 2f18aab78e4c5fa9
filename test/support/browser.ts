import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page, type Response } from "playwright-core";
import { eventually, output } from "./command.ts";

/** Makes a certificate's authority known to browsers whose home is this folder. */
export async function trustAuthority(home: string, certificatePath: string): Promise<void> {
  await mkdir(join(home, ".pki/nssdb"), { recursive: true });
  const database = `sql:${join(home, ".pki/nssdb")}`;
  await output("certutil", ["-N", "-d", database, "--empty-password"]);
  await output("certutil", ["-A", "-d", database, "-n", "ca", "-t", "C,,", "-i", certificatePath]);
}

/** A browser with an empty profile below `home`, for which one name leads to an address; without QUIC unless flags ask for it. */
export async function openBrowser(
  home: string,
  { name, address, flags = [] }: { name: string; address: string; flags?: readonly string[] },
): Promise<BrowserContext> {
  return chromium.launchPersistentContext(await mkdtemp(join(home, "profile-")), {
    executablePath: "/usr/bin/chromium",
    headless: true,
    env: { ...process.env, HOME: home },
    args: [
      ...["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
      ...["--disable-component-update", "--disable-sync", `--host-resolver-rules=MAP ${name} ${address}`],
      ...(flags.length > 0 ? flags : ["--disable-quic"]),
    ],
  });
}

/** Goes to a page; a network that this machine makes or removes meanwhile cuts off what a browser loads. */
export function visit(page: Page, url: string): Promise<Response | null> {
  return eventually(() => page.goto(url));
}
