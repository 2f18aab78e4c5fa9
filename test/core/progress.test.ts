import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { type LineReader, readBuildLines } from "../../src/core/progress/build-lines.ts";
import { elapsedLine } from "../../src/core/progress/elapsed-line.ts";
import { readPullLines } from "../../src/core/progress/pull-lines.ts";
import { readStartLines } from "../../src/core/progress/start-lines.ts";

const readers: readonly (readonly [string, () => LineReader])[] = [
  ["build", readBuildLines],
  ["pull", readPullLines],
  ["start", readStartLines],
];

function meanings(reader: LineReader, text: string): (string | undefined)[] {
  return text.split("\n").map((line) => reader(line));
}

describe("what a build says", () => {
  it("names the image, the step and what it does, of steps at the same time the one that moves", () => {
    const said = `#1 [internal] load local bake definitions
#2 [gateway internal] load build definition from Dockerfile
#6 [gateway internal] load metadata for docker.io/library/node:22
#6 DONE 0.0s
#7 [gateway base 1/2] FROM docker.io/library/node:22@sha256:ab
#7 sha256:0123abc 12.58MB / 31.42MB 3.2s
#8 [proxy 2/2] RUN caddy version
#7 sha256:0123abc 31.42MB / 31.42MB 4.0s done
#8 0.291 v2.10
#8 DONE 0.4s
#7 CACHED
 sandbox-deploy/gateway:0.1.0  Built`;
    expect(meanings(readBuildLines(), said)).toEqual([
      undefined,
      undefined,
      "looking up docker.io/library/node:22",
      undefined,
      "gateway base 1/2: FROM docker.io/library/node:22@sha256:ab",
      "gateway base 1/2: FROM docker.io/library/node:22@sha256:ab, 12.58MB of 31.42MB",
      "proxy 2/2: RUN caddy version",
      "gateway base 1/2: FROM docker.io/library/node:22@sha256:ab, 31.42MB of 31.42MB",
      "proxy 2/2: RUN caddy version",
      "gateway base 1/2: FROM docker.io/library/node:22@sha256:ab",
      undefined,
      "sandbox-deploy/gateway:0.1.0 is built",
    ]);
  });

  it("is read from the builder before BuildKit too", () => {
    expect(readBuildLines()("Step 3/9 : RUN npm ci")).toBe("step 3/9: RUN npm ci");
  });
});

describe("what a pull says", () => {
  it("counts images and bytes, a layer that two images share once", () => {
    const said = ` one Pulling 
 two Pulling 
 154dd229b786 Pulling fs layer 
 154dd229b786 Downloading [>           ]  36.76kB/3MB
 154dd229b786 Downloading [=====>      ]  1.5MB/3MB
 154dd229b786 Downloading [=====>      ]  1.5MB/3MB
 9a645a8ad2d7 Downloading [=====>      ]  1MB/2MB
 154dd229b786 Download complete 
 154dd229b786 Extracting [=>           ]  32.77kB/3MB
 9a645a8ad2d7 Pull complete 
 one Pulled `;
    expect(meanings(readPullLines(), said)).toEqual([
      "0 of 1 image",
      "0 of 2 images",
      undefined,
      "0 of 2 images, 0.0 of 3.0 MB",
      "0 of 2 images, 1.5 of 3.0 MB",
      "0 of 2 images, 1.5 of 3.0 MB",
      "0 of 2 images, 2.5 of 5.0 MB",
      "0 of 2 images, 4.0 of 5.0 MB",
      undefined,
      "0 of 2 images, 5.0 of 5.0 MB",
      "1 of 2 images, 5.0 of 5.0 MB",
    ]);
  });
});

test("what a start says names the container and what becomes of it", () => {
  const said = ` Network demo_front  Creating\n Container demo-store-1  Waiting\n Container demo-store-1  Healthy\nother`;
  expect(meanings(readStartLines(), said)).toEqual([
    "network demo_front: creating",
    "demo-store-1: waiting",
    "demo-store-1: healthy",
    undefined,
  ]);
});

test.each(readers)("no line of a %s is a failure, and none becomes more than one line", (_what, create) => {
  const part = fc.oneof(
    fc.constantFrom(
      "#1 ",
      "[a 1/2] ",
      "DONE",
      " Container ",
      "abcdefabcdef ",
      "Downloading ",
      "1kB/2MB",
      "Pulling",
      "\t",
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(
      fc.array(
        fc.array(part).map((parts) => parts.join("")),
        { maxLength: 20 },
      ),
      (lines) => {
        const reader = create();
        for (const line of lines.map((each) => each.replace(/\s/g, " ")))
          expect(reader(line) ?? "").not.toContain("\n");
      },
    ),
  );
});

describe("the line below a task", () => {
  test.each<[string, number, number, string]>([
    ["gateway 2/5: RUN npm ci", 12.9, 80, "gateway 2/5: RUN npm ci (12 s)"],
    ["gateway 2/5: RUN npm ci", 12.9, 20, "gateway 2/5:… (12 s)"],
    ["soon", 1, 80, "soon"],
    ["", 4, 80, "4 s"],
    ["", 1, 80, ""],
    ["first\nsecond", 1, 80, "first"],
  ])("of %j after %d s has room in %d columns", (line, seconds, columns, shown) => {
    expect(elapsedLine(line, seconds, columns)).toBe(shown);
  });
});
