import { describe, expect, test } from "vitest";
import { seal, sealKeyPath, unseal } from "../../src/shell/files/seal.ts";

describe("a receipt", () => {
  const receipt = { version: 1, project: "demo", privileges: [] };

  test("is read back with the key that sealed it, however it is laid out", () => {
    const sealed = seal("k1", receipt);
    expect(unseal("k1", JSON.stringify(sealed, null, 2))).toEqual(receipt);
  });

  test.each([
    ["another key", "k2", JSON.stringify(seal("k1", receipt))],
    ["another content", "k1", JSON.stringify({ ...seal("k1", receipt), receipt: { ...receipt, project: "evil" } })],
    ["no seal", "k1", JSON.stringify(receipt)],
    ["a seal that is no text", "k1", JSON.stringify({ seal: {}, receipt })],
    ["no JSON", "k1", "{"],
  ])("with %s is not believed", (_what, key, text) => {
    expect(unseal(key, text)).toBeUndefined();
  });

  test("is sealed with a key that lies with the user, never in a project", () => {
    expect(sealKeyPath("/home/op", {})).toBe("/home/op/.local/state/sandbox-deploy/receipt-key");
    expect(sealKeyPath("/home/op", { XDG_STATE_HOME: "/state" })).toBe("/state/sandbox-deploy/receipt-key");
    expect(sealKeyPath("/home/op", { XDG_STATE_HOME: "relative" })).toBe(
      "/home/op/.local/state/sandbox-deploy/receipt-key",
    );
  });
});
