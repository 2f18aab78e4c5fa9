import { afterEach, describe, expect, it } from "vitest";
import { openTerminal, type Terminal } from "./support/terminal.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const strong = "kQ8vTz3mWn5xYb7cRd2fPq6sLh4jKg9e";
const question = "STORE_PASSWORD";

let terminal: Terminal | undefined;
afterEach(async () => {
  await terminal?.close();
  terminal = undefined;
});

async function opened(): Promise<Terminal> {
  terminal = await openTerminal(workbench(), 80, "secrets", "set", "STORE_PASSWORD");
  await terminal.screenFrom(question);
  return terminal;
}

/** Nothing of the value, not even its beginning, its end or its length as marks. */
async function expectHidden(lines: readonly string[]): Promise<void> {
  const text = lines.join("\n");
  for (let start = 0; start + 4 <= strong.length; start += 1)
    expect(text).not.toContain(strong.slice(start, start + 4));
  expect(text).not.toMatch(/[*•●.]{8,}/);
}

describe("secrets set on a terminal", () => {
  it("asks for the value and shows nothing of it, while it is typed or afterwards", async () => {
    const { press, screenFrom, writtenLines, ended } = await opened();
    await press(strong.slice(0, 20));
    await expectHidden(await screenFrom(question));
    // A slip that is taken back.
    await press("x", "BSpace");
    await press(strong.slice(20));
    await expectHidden(await screenFrom(question));
    await press("Enter");
    expect(await ended()).toEqual({ exitCode: 0, sane: true });
    await expectHidden(await writtenLines());
    expect((await writtenLines()).join("\n")).toContain("STORE_PASSWORD is set in .env");
    expect(await workbench().read(".env")).toContain(`STORE_PASSWORD=${strong}\n`);
  });

  it("changes nothing when it is interrupted half-way, and gives the terminal its echo back", async () => {
    const before = await workbench().read(".env");
    const { press, writtenLines, ended } = await opened();
    await press(strong.slice(0, 12));
    await press("C-c");
    expect(await ended()).toEqual({ exitCode: 130, sane: true });
    await expectHidden(await writtenLines());
    expect(await workbench().read(".env")).toBe(before);
  });
});
