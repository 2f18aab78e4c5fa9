import { create, type Escape, type Expectation, refused, type Table, type Unguarded } from "./escape.ts";
import type { RawRequest } from "./raw-client.ts";
import type { World } from "./world.ts";

type Row = readonly [
  tries: string,
  why: string,
  request: (world: World) => RawRequest,
  expect: Expectation | ((world: World) => Expectation),
  unguarded?: Unguarded,
];

const image = (reference: (world: World) => string) => (world: World) =>
  create(world, { config: { Image: reference(world) } });
const repository = (world: World) => world.image.reference.replace(/:1$/, "");

const rows: readonly Row[] = [
  [
    "to run an image of somebody else",
    "its secrets",
    image(({ foreignImage }) => foreignImage.reference),
    refused("image."),
  ],
  [
    "to run an image by its id",
    "its secrets, without a name that a list would hold",
    image(({ foreignImage }) => foreignImage.id),
    refused("image."),
  ],
  [
    "to run an image by its id without sha256",
    "its secrets, without a name that a list would hold",
    image(({ foreignImage }) => foreignImage.id.slice(7)),
    refused("image."),
  ],
  [
    "to run an image by the beginning of its id",
    "its secrets, without a name that a list would hold",
    image(({ foreignImage }) => foreignImage.id.slice(7, 19)),
    refused("image."),
  ],
  [
    "to run another tag of the allowed image",
    "an older version with known holes",
    image((world) => `${repository(world)}:2`),
    refused("image."),
    { none: "the engine has no such image" },
  ],
  [
    "to run the allowed image without its tag",
    "the tag latest is another image",
    image(repository),
    refused("image."),
    { none: "the engine has no such image" },
  ],
  [
    "to run a digest under the allowed name",
    "any content under a name that is allowed",
    image((world) => `${repository(world)}@sha256:${"9".repeat(64)}`),
    refused("image."),
    { none: "the engine has no such image" },
  ],
  [
    "to run the allowed tag with another digest",
    "the engine drops the tag where there is a digest",
    image((world) => `${world.image.reference}@${world.foreignImage.id}`),
    refused("image."),
    { none: "the engine has no such image" },
  ],
  [
    "to run the allowed name from another registry",
    "whoever has that registry decides what runs",
    image((world) => `evil.example/${world.image.reference}`),
    refused("image."),
    { none: "the engine has no such image" },
  ],
  [
    "to run the allowed name in upper case",
    "a comparison without case takes it for the allowed one",
    image((world) => world.image.reference.toUpperCase()),
    refused(""),
    { none: "engine 20.10 refuses the name" },
  ],
  [
    "to run an image whose name begins like the allowed one",
    "a comparison of beginnings takes it for the allowed one",
    image((world) => `${world.image.reference}1`),
    refused("image."),
    { none: "the engine has no such image" },
  ],
  [
    "to run an image with a space in its name",
    "a reader that trims sees the allowed one",
    image((world) => ` ${world.image.reference}`),
    refused(""),
    { none: "engine 20.10 refuses the name" },
  ],
  [
    "to run an image with a line end in its name",
    "a pattern that looks at lines sees the allowed one",
    image((world) => `${world.image.reference}\nevil`),
    refused(""),
    { none: "engine 20.10 refuses the name" },
  ],
  [
    "to run no image",
    "readers differ in what that is",
    (world) => create(world, { config: { Image: "" } }),
    refused(""),
  ],
];

/** Other images than the allowed one, and ways to make the allowed name mean another image. */
export const imageEscapes: Table = (world) =>
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
