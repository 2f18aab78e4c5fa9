import {
  type Escape,
  type Expectation,
  hidden,
  plain,
  refused,
  type Table,
  type Unguarded,
  withJson,
} from "./escape.ts";
import type { RawRequest } from "./raw-client.ts";
import { tar } from "./tar.ts";
import type { World } from "./world.ts";

type Row = readonly [
  tries: string,
  why: string,
  request: (world: World) => RawRequest,
  expect: Expectation | ((world: World) => Expectation),
  unguarded?: Unguarded,
];

const noRegistry: Unguarded = { none: "no registry and no other server answers the machine under test" };
const post = (target: (world: World) => string) => (world: World) => plain("POST", `/v1.41${target(world)}`);
const repository = (world: World) => world.image.reference.replace(/:1$/, "");

const rows: readonly Row[] = [
  [
    "to give the allowed name to an image of somebody else",
    "what is allowed by name is another image then",
    post(({ foreignImage, run }) => `/images/${foreignImage.id}/tag?repo=sandbox-deploy/test-escape-${run}&tag=1`),
    refused("route."),
  ],
  [
    "to give a new name to an image",
    "a name that a list might hold",
    post(({ foreignImage, run }) => `/images/${foreignImage.reference}/tag?repo=escape-${run}&tag=new`),
    refused("route."),
  ],
  [
    "to import a file system as an image",
    "any content under any name",
    ({ run }) => ({
      method: "POST",
      target: `/v1.41/images/create?fromSrc=-&repo=escape-${run}&tag=new`,
      headers: [["Content-Type", "application/x-tar"]],
      body: tar("evil", "evil"),
    }),
    refused(""),
  ],
  [
    "to import over the allowed name",
    "what is allowed by name is another image then",
    ({ run }) => ({
      method: "POST",
      target: `/v1.41/images/create?fromSrc=-&repo=sandbox-deploy/test-escape-${run}&tag=1`,
      headers: [["Content-Type", "application/x-tar"]],
      body: tar("evil", "evil"),
    }),
    refused(""),
  ],
  [
    "to make the engine fetch an address",
    "requests from the host's own network, such as to a cloud's metadata",
    post(
      ({ port, run }) =>
        `/images/create?fromSrc=http%3A%2F%2F127.0.0.1%3A${port}%2Flatest%2Fmeta-data&repo=escape-${run}`,
    ),
    refused(""),
  ],
  [
    "to make the engine fetch an address beside an allowed pull",
    "one reader sees the pull, another the address",
    post(
      (world) =>
        `/images/create?fromImage=${world.image.reference.replace(":1", "&tag=1")}&fromSrc=http%3A%2F%2F127.0.0.1%3A1%2F`,
    ),
    refused(""),
    noRegistry,
  ],
  [
    "to pull any image",
    "any content",
    post(({ port }) => `/images/create?fromImage=127.0.0.1%3A${port}%2Fevil&tag=1`),
    refused("image."),
  ],
  [
    "to pull from a registry on the host",
    "requests from the host's own network",
    post(({ port }) => `/images/create?fromImage=localhost%3A${port}%2Fsandbox&tag=1`),
    refused("image."),
  ],
  [
    "to pull all tags of the allowed image",
    "fills the host's disk",
    post((world) => `/images/create?fromImage=${repository(world)}`),
    refused(""),
    noRegistry,
  ],
  [
    "to pull by a form in the body",
    "a form takes the place of the query",
    (world) => ({
      method: "POST",
      target: `/v1.41/images/create?fromImage=${repository(world)}&tag=1`,
      headers: [["Content-Type", "application/x-www-form-urlencoded"]],
      body: `fromImage=127.0.0.1%3A${world.port}%2Fevil&tag=1`,
    }),
    refused("framing."),
  ],
  [
    "to change an image while it is pulled",
    "commands that change what runs",
    ({ run }) =>
      plain("POST", `/v1.41/images/create?fromImage=sandbox-deploy/test-escape-${run}&tag=1&changes=ENTRYPOINT%20evil`),
    refused(""),
    noRegistry,
  ],
  [
    "to load images from an archive",
    "any content under any name",
    ({ run }) => ({
      method: "POST",
      target: "/v1.41/images/load",
      headers: [["Content-Type", "application/x-tar"]],
      body: tar("manifest.json", `[{"Config":"x","RepoTags":["escape-${run}:new"],"Layers":[]}]`),
    }),
    refused("route."),
    { none: "the archive holds no whole image" },
  ],
  [
    "to save an image of somebody else",
    "its files and its secrets",
    ({ foreignImage }) => plain("GET", `/v1.41/images/${foreignImage.reference}/get`),
    refused("route."),
  ],
  [
    "to save several images",
    "their files and their secrets",
    ({ foreignImage }) => plain("GET", `/v1.41/images/get?names=${foreignImage.reference}`),
    refused("route."),
  ],
  [
    "to make an image of a container of somebody else",
    "its files, as an image of our own",
    ({ foreign, run }) => withJson("POST", `/v1.41/commit?container=${foreign.id}&repo=escape-${run}&tag=new`, {}),
    refused("route."),
  ],
  [
    "to make an image of a sandbox",
    "any content under any name",
    ({ mine, run }) => withJson("POST", `/v1.41/commit?container=${mine.id}&repo=escape-${run}&tag=new`, {}),
    refused("route."),
  ],
  [
    "to make an image of a sandbox over the allowed name",
    "what is allowed by name is another image then",
    ({ mine, run }) =>
      withJson("POST", `/v1.41/commit?container=${mine.id}&repo=sandbox-deploy/test-escape-${run}&tag=1`, {}),
    refused("route."),
  ],
  [
    "to build an image",
    "commands as root, on the host's network if asked",
    ({ run }) => ({
      method: "POST",
      target: `/v1.41/build?t=escape-${run}:new&networkmode=host`,
      headers: [["Content-Type", "application/x-tar"]],
      body: tar("Dockerfile", "FROM scratch\nLABEL evil=1\n"),
    }),
    refused("route."),
  ],
  [
    "to build from an address",
    "requests from the host's own network",
    ({ port, run }) => plain("POST", `/v1.41/build?t=escape-${run}:new&remote=http%3A%2F%2F127.0.0.1%3A${port}%2F`),
    refused("route."),
  ],
  [
    "to remove an image of somebody else",
    "what others run is gone",
    ({ foreignImage }) => plain("DELETE", `/v1.41/images/${foreignImage.reference}?force=1`),
    refused("route."),
  ],
  [
    "to remove the allowed image",
    "nobody can start a sandbox any more",
    ({ image: { reference } }) => plain("DELETE", `/v1.41/images/${reference}?force=1`),
    refused("route."),
  ],
  [
    "to remove every unused image",
    "what others need next is gone",
    () => plain("POST", "/v1.41/images/prune?filters=%7B%22dangling%22%3A%5B%22false%22%5D%7D"),
    refused("route."),
    { unsafe: "it would remove images of others" },
  ],
  [
    "to push an image",
    "data to any registry",
    ({ foreignImage }) => plain("POST", `/v1.41/images/${foreignImage.reference}/push`),
    refused("route."),
    noRegistry,
  ],
  [
    "to read about an image of somebody else",
    "its variables and its secrets",
    ({ foreignImage }) => plain("GET", `/v1.41/images/${foreignImage.reference}/json`),
    ({ foreignImage }) => hidden(`No such image: ${foreignImage.reference}`),
  ],
  [
    "to read about an image of somebody else by its id",
    "its variables and its secrets",
    ({ foreignImage }) => plain("GET", `/v1.41/images/${foreignImage.id}/json`),
    ({ foreignImage }) => hidden(`No such image: ${foreignImage.id}`),
  ],
  [
    "to read about an image of somebody else by the beginning of its id",
    "its variables and its secrets",
    ({ foreignImage }) => plain("GET", `/v1.41/images/${foreignImage.id.slice(7, 19)}/json`),
    ({ foreignImage }) => hidden(`No such image: ${foreignImage.id.slice(7, 19)}:latest`),
  ],
  [
    "to read the history of an image of somebody else",
    "the commands that made it, with their secrets",
    ({ foreignImage }) => plain("GET", `/v1.41/images/${foreignImage.reference}/history`),
    refused("route."),
  ],
  [
    "to search a registry",
    "requests from the host's own network",
    ({ port }) => plain("GET", `/v1.41/images/search?term=127.0.0.1%3A${port}%2Fx`),
    refused("route."),
  ],
  [
    "to ask a registry for a digest",
    "requests from the host's own network",
    ({ port }) => plain("GET", `/v1.41/distribution/127.0.0.1:${port}/x/json`),
    refused("route."),
  ],
  [
    "to clear the build cache",
    "what others built is gone",
    () => plain("POST", "/v1.41/build/prune"),
    refused("route."),
    { unsafe: "it would remove what others built" },
  ],
];

/** Ways to make the allowed name mean another image, to read what is in others, and to make the engine fetch. */
export const imageRouteEscapes: Table = (world) =>
  rows.map(
    ([tries, why, request, expect, unguarded = "effect"]): Escape => ({
      class: "images",
      tries,
      why,
      request: request(world),
      expect: typeof expect === "function" ? expect(world) : expect,
      unguarded,
    }),
  );
