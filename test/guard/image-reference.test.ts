import { describe, expect, test } from "vitest";
import { canonicalReference, familiarReference } from "../../src/guard/model/image-reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("a reference to an image", () => {
  test.each([
    ["alpine", "docker.io/library/alpine:latest", "alpine:latest"],
    ["library/alpine:3", "docker.io/library/alpine:3", "alpine:3"],
    ["docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest"],
    ["index.docker.io/library/alpine", "docker.io/library/alpine:latest", "alpine:latest"],
    ["team/app:1", "docker.io/team/app:1", "team/app:1"],
    ["ghcr.io/team/app", "ghcr.io/team/app:latest", "ghcr.io/team/app:latest"],
    ["localhost/app", "localhost/app:latest", "localhost/app:latest"],
    ["localhost:5000/app:1", "localhost:5000/app:1", "localhost:5000/app:1"],
    [`alpine@${digest}`, `docker.io/library/alpine@${digest}`, `alpine@${digest}`],
    [`alpine:3@${digest}`, `docker.io/library/alpine@${digest}`, `alpine@${digest}`],
    ["app:5000", "docker.io/library/app:5000", "app:5000"],
  ])("%s is %s", (text, canonical, familiar) => {
    expect([canonicalReference(text), familiarReference(text)]).toEqual([canonical, familiar]);
  });

  test.each([
    "",
    "Alpine",
    "alpine:",
    "alpine:a:b",
    "alpine@sha256:aa",
    `alpine@sha512:${"a".repeat(128)}`,
    "a//b",
    "/a",
    "a/",
    "../a",
    "-a",
    "a b",
    "a\n",
    "a?b",
    "a*",
    "http://a/b",
    // The engine would look for an image of this id.
    "a".repeat(64),
    digest,
    "sha256:aaaaaa",
    `a/${"b".repeat(400)}`,
  ])("%j is none", (text) => {
    expect(canonicalReference(text)).toBeUndefined();
  });
});
