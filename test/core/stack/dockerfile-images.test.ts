import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { type BuildInputs, imagesOfDockerfile } from "../../../src/core/stack/dockerfile-images.ts";
import { repositoryRoot } from "../../support/stack.ts";

function imagesOf(text: string, inputs: Partial<BuildInputs> = {}): string[] {
  return imagesOfDockerfile(text, { args: {}, additional_contexts: {}, ...inputs });
}

describe("the images that a Dockerfile needs", () => {
  test.each<[what: string, text: string, expected: string[], inputs?: Partial<BuildInputs>]>([
    ["are what it is made from", "FROM alpine:3\nRUN x", ["alpine:3"]],
    ["are read whatever the case and the platform", "from --platform=linux/amd64 alpine AS x", ["alpine"]],
    ["are none of its own stages", "FROM a AS build\nFROM build", ["a"]],
    ["are those of the stages that are used", "FROM a AS x\nFROM b AS y\nFROM c\nCOPY --from=x / /", ["c", "a"]],
    ["are those of stages by number too", "FROM a\nFROM b\nCOPY --from=0 / /", ["b", "a"]],
    ["are those of the target", "FROM a AS x\nFROM b", ["a"], { target: "X" }],
    ["are those that are copied from", "FROM a\nCOPY --chown=1 --from=b:1 / /", ["a", "b:1"]],
    ["are those that are mounted", "FROM a\nRUN --mount=type=bind,from=b,target=/x ls", ["a", "b"]],
    ["are not scratch", "FROM scratch", []],
    ["are not contexts of another name", "FROM base", [], { additional_contexts: { base: "/srv" } }],
    ["have their arguments filled in", "ARG V=1\nFROM a:$V", ["a:1"]],
    ["have the arguments of the build filled in", "ARG V=1\nFROM a:${V}", ["a:2"], { args: { V: "2" } }],
    ["have an unset argument's default", "ARG V=1\nFROM a:${V}", ["a:1"], { args: { V: null } }],
    ["have a default in its place", "FROM ${BASE:-a}", ["a"]],
    ["are left out where an argument has no value", "ARG BASE\nFROM $BASE", []],
    ["are found in lines that are joined, past comments", "FROM \\\n# FROM b\n  a\n# FROM c", ["a"]],
    ["include the frontend", "# syntax=docker/dockerfile:1\nFROM a", ["docker/dockerfile:1", "a"]],
    ["are none in an empty file", "", []],
  ])("%s", (_what, text, expected, inputs) => {
    expect(imagesOf(text, inputs)).toEqual(expected);
  });

  it.each(["gateway", "guard", "proxy", "sandbox", "store"])("are the one pinned base of %s", (name) => {
    const text = readFileSync(join(repositoryRoot, `compose/images/${name}/Dockerfile`), "utf8");
    expect(imagesOf(text)).toEqual([expect.stringMatching(/^(node|caddy|redis):\S+@sha256:[0-9a-f]{64}$/)]);
  });

  it("are found in any text without an end or an error", () => {
    const word = fc.constantFrom("FROM", "ARG", "COPY", "AS", "--from=x", "x", "X=1", "$X", "${", "\\", "#", "\n", " ");
    fc.assert(fc.property(fc.array(word), (words) => Array.isArray(imagesOf(words.join(" ")))));
  });
});
