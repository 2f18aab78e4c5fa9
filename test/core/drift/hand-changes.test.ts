import { expect, test } from "vitest";
import { containerShapes, type LastDeployment } from "../../../src/core/deployment/last-deployment.ts";
import { handChanges, handChangeText } from "../../../src/core/drift/hand-changes.ts";
import type { InspectedParts } from "../../support/inspected.ts";
import { container } from "../plan/plan-facts.ts";

const before = container("app");
const deployed: LastDeployment = {
  ...{ time: "2026-01-01T00:00:00Z", containers: [before.id], hashes: { app: "h" }, shapes: containerShapes([before]) },
};
const texts = (parts: InspectedParts & { number?: number }, last: LastDeployment | undefined = deployed) =>
  handChanges([container("app", parts)], last).map(handChangeText);

test.each<[parts: InspectedParts & { number?: number }, expected: string[]]>([
  [{}, []],
  [
    { hostConfig: { Memory: 1048576, MemorySwap: 1048576 } },
    [
      "demo-app-1 has the memory limit 1 MiB instead of none",
      "demo-app-1 has the memory and swap limit 1 MiB instead of none",
    ],
  ],
  [{ hostConfig: { RestartPolicy: { Name: "always" } } }, ["demo-app-1 has the restart policy always instead of no"]],
  [{ network: { Networks: { demo_default: {}, other: {} } } }, ["demo-app-1 is on the network other as well"]],
  [{ network: { Networks: {} } }, ["demo-app-1 is no longer on the network demo_default"]],
  [{ state: { Status: "paused" } }, ["demo-app-1 is paused"]],
  [
    { state: { Status: "exited", Running: false, ExitCode: 137, FinishedAt: "2026-02-02T02:02:02.123Z" } },
    ["demo-app-1 is stopped (exit code 137) since 2026-02-02T02:02:02Z"],
  ],
  [{ state: { Status: "exited", Running: false, ExitCode: 0 } }, []],
  [{ number: 2 }, ["demo-app-2 is not the container that was deployed since 2026-01-01T00:00:00Z"]],
])("what was done to a container by hand is told, and since when if the engine knows: %#", (parts, expected) => {
  expect(texts(parts)).toEqual(expected);
});

test("a container of no service is one that somebody added", () => {
  const [first] = handChanges([{ ...container("other"), id: "x" }], deployed);
  expect(first && handChangeText(first)).toBe(
    "demo-other-1 belongs to no service of the last deployment since 2026-01-01T00:00:00Z",
  );
});

test("without a receipt, or with one of an earlier version, only what a container shows by itself is told", () => {
  const changed = { number: 2, hostConfig: { Memory: 1048576 }, state: { Status: "paused" } };
  expect(texts(changed, { ...deployed, shapes: [] })).toEqual(["demo-app-2 is paused"]);
  expect(handChanges([container("app", changed)], undefined).map(handChangeText)).toEqual(["demo-app-2 is paused"]);
});
