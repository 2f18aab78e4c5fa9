import { expect, test } from "vitest";
import { isPublishable, portNumberFindings } from "../../../src/core/stack/published-ports.ts";
import { modelOf } from "../../support/granted.ts";

test.each([
  ["0", true],
  ["2026", true],
  ["65535", true],
  ["8000-8010", true],
  ["65536", false],
  ["8010-8000", false],
  ["65530-65540", false],
  ["-1", false],
  ["+80", false],
  ["1e3", false],
  ["80:90", false],
  ["abc", false],
])("the engine publishes %s: %s", (published, expected) => expect(isPublishable(published)).toBe(expected));

test("a port that is none is told with its service, unless that service stays out of this mode", () => {
  const ports = [{ target: 80, published: "80\u001b[2J" }, { target: 81 }, { target: 82, published: "8082" }];
  const model = modelOf({ services: { app: { image: "x", ports }, other: { image: "x", ports } } });
  expect(portNumberFindings(model, ["other"])).toMatchObject([
    { code: "D012", message: "app publishes the port 80\\x1b[2J, but ports are whole numbers up to 65535" },
  ]);
});
