import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createOutputBuffer, cutText } from "../../src/gateway/output-buffer.ts";

describe("the output buffer", () => {
  it("keeps the beginning of any text, never more than the limit and never half a character", () => {
    const texts = fc.string({ unit: "binary", maxLength: 60 });
    fc.assert(
      fc.property(texts, fc.nat(80), (text, limit) => {
        const cut = cutText(text, limit);
        expect(Buffer.byteLength(cut.text)).toBeLessThanOrEqual(limit);
        expect(text.startsWith(cut.text)).toBe(true);
        expect(cut.truncated).toBe(Buffer.byteLength(text) > limit);
        if (!cut.truncated) expect(cut.text).toBe(text);
      }),
    );
  });

  it("puts a character together that arrives in two pieces", () => {
    const buffer = createOutputBuffer(10);
    const euro = Buffer.from("€");
    buffer.push(euro.subarray(0, 1));
    buffer.push(euro.subarray(1));
    expect(buffer.text()).toBe("€");
    expect(buffer.truncated()).toBe(false);
  });

  it("shows bytes that are no text as replacement characters", () => {
    const buffer = createOutputBuffer(10);
    buffer.push(Buffer.from([0x41, 0xff, 0x42]));
    expect(buffer.text()).toBe("A\uFFFDB");
  });
});
