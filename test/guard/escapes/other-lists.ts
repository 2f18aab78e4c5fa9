import { type Escape, type Expectation, plain, refused, type Table, type Unguarded } from "./escape.ts";
import type { World } from "./world.ts";

type List = readonly [
  tries: string,
  why: string,
  target: (world: World) => string,
  expect: (world: World) => Expectation,
  unguarded?: Unguarded,
];
type Values = Readonly<Record<string, readonly string[]>>;

const filters = (value: unknown) => `filters=${encodeURIComponent(JSON.stringify(value))}`;
const marked = (values: Values) =>
  Object.fromEntries(
    Object.entries(values).map(([name, all]) => [name, Object.fromEntries(all.map((value) => [value, true]))]),
  );

function images(asked: Values = {}, query: Readonly<Record<string, string>> = {}) {
  return ({ image }: World): Expectation => {
    const all = { ...query, filters: marked({ ...asked, reference: [image.reference] }) };
    return { kind: "narrowed", method: "GET", path: "/v1.41/images/json", query: all };
  };
}

const no = (rule: string) => () => refused(rule);

const lists: readonly List[] = [
  ["to list every image", "names and labels of what others run", () => "/v1.41/images/json", images()],
  [
    "to list every image and its layers",
    "what others built",
    () => "/v1.41/images/json?all=1",
    images({}, { all: "1" }),
  ],
  [
    "to list images by a pattern",
    "names of what others run",
    () => `/v1.41/images/json?${filters({ reference: ["sandbox-deploy/test-foreign-*"] })}`,
    () => ({ kind: "answered" }),
  ],
  [
    "to list images of somebody by name",
    "whether they are there",
    ({ foreignImage }) => `/v1.41/images/json?${filters({ reference: [foreignImage.reference] })}`,
    () => ({ kind: "answered" }),
  ],
  [
    "to list images without a name",
    "what others built",
    () => `/v1.41/images/json?${filters({ dangling: ["true"] })}`,
    images({ dangling: ["true"] }),
    { none: "the test has none" },
  ],
  [
    "to list images by a label",
    "names of what others run",
    () => `/v1.41/images/json?${filters({ label: ["sandbox-deploy.test"] })}`,
    no("query."),
  ],
  [
    "to list images before one of somebody",
    "whether it is there, by the engine's answer",
    ({ image }) => `/v1.41/images/json?${filters({ since: [image.reference] })}`,
    no("query."),
    "answer",
  ],
  [
    "to list images by the old parameter",
    "a filter that replaces ours in old engines",
    () => "/v1.40/images/json?filter=sandbox-deploy/*",
    no("query."),
  ],
  ["to list networks", "names and addresses of others", () => "/v1.41/networks", no("route.")],
  ["to list volumes", "names and directories of others", () => "/v1.41/volumes", no("route."), "answer"],
  ["to read what everything takes on the disk", "names of everything", () => "/v1.41/system/df", no("route.")],
  [
    "to read about the host",
    "its name, its registries, its directories",
    () => "/v1.41/info",
    () => ({ kind: "answered" }),
    "answer",
  ],
  [
    "to list events of others",
    "who does what",
    ({ now }) => `/v1.41/events?since=1&until=${now}`,
    ({ run, now }) => ({
      kind: "narrowed",
      method: "GET",
      path: "/v1.41/events",
      query: {
        since: "1",
        until: String(now),
        filters: marked({ label: [`sandbox-deploy.guard=escape-${run}`], type: ["container"] }),
      },
    }),
  ],
  [
    "to list events of images and networks",
    "who does what",
    ({ now }) => `/v1.41/events?since=1&until=${now}&${filters({ type: ["network"] })}`,
    no("query."),
  ],
];

/** Lists of everything but containers: images of the policy, events of our own containers, nothing of the host. */
export const otherListEscapes: Table = (world) =>
  lists.map(
    ([tries, why, target, expect, unguarded = "effect"]): Escape => ({
      class: "lists",
      tries,
      why,
      request: plain("GET", target(world)),
      expect: expect(world),
      unguarded,
    }),
  );
