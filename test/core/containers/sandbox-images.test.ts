import { describe, expect, it } from "vitest";
import { isImageKnown, keptImageIds, knownImageIds } from "../../../src/core/containers/sandbox-images.ts";

const guard = { pinned: { "box:1": "sha256:new", "tool:1": "sha256:tool" }, since: "2026-03-01T10:00:00.000Z" };
const remembered = { "box:1": ["sha256:old", "sha256:older"], "gone:1": ["sha256:gone"] };

describe("images that sandboxes may run", () => {
  it("are what the guard pinned and what is remembered of guards before it", () => {
    expect(knownImageIds({ remembered, guard })).toEqual({
      "box:1": ["sha256:old", "sha256:older", "sha256:new"],
      "tool:1": ["sha256:tool"],
      "gone:1": ["sha256:gone"],
    });
    expect(knownImageIds({ remembered: {}, guard: undefined })).toEqual({});
    expect(knownImageIds({ remembered: { constructor: ["sha256:1"] }, guard: undefined })).toEqual({
      constructor: ["sha256:1"],
    });
  });

  it("are remembered only while the guard pins them or a sandbox runs them", () => {
    expect(keptImageIds({ remembered, guard }, [{ imageId: "sha256:old" }])).toEqual({
      "box:1": ["sha256:old", "sha256:new"],
      "tool:1": ["sha256:tool"],
    });
    expect(keptImageIds({ remembered, guard: undefined }, [])).toEqual({});
  });

  it.each([
    ["a sandbox that its guard has made is always compared", "2026-03-01T10:00:00.1Z", {}, guard, true],
    ["one from before it is not while nobody remembers", "2026-03-01T09:59:59.9Z", {}, guard, false],
    ["one from before it is compared with what is remembered", "2026-03-01T09:59:59.9Z", remembered, guard, true],
    ["what is remembered counts while no guard answers", "2026-03-01T10:00:00.1Z", remembered, undefined, true],
    ["without a guard and a memory nobody knows", "2026-03-01T10:00:00.1Z", {}, undefined, false],
  ])("%s", (_what, created, before, answering, expected) => {
    expect(isImageKnown({ created }, { remembered: before, guard: answering })).toBe(expected);
  });
});
