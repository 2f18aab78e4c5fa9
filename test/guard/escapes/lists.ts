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
const containers = (value: unknown) => `/v1.41/containers/json?all=1&${filters(value)}`;
const marked = (values: Values) =>
  Object.fromEntries(
    Object.entries(values).map(([name, all]) => [name, Object.fromEntries(all.map((value) => [value, true]))]),
  );

/** The client's filters and parameters with our own label among them: the engine lists what matches all labels. */
function ours(asked: Values = {}, query: Readonly<Record<string, string>> = { all: "1" }) {
  return ({ run }: World): Expectation => {
    const label = [...(asked["label"] ?? []), `sandbox-deploy.guard=escape-${run}`];
    const all = { ...query, filters: marked({ ...asked, label }) };
    return { kind: "narrowed", method: "GET", path: "/v1.41/containers/json", query: all };
  };
}

const no = (rule: string) => () => refused(rule);
const nothing: Unguarded = { none: "engine 20.10 finds nothing that way" };
const refusedByEngine: Unguarded = { none: "engine 20.10 refuses it" };

const lists: readonly List[] = [
  [
    "to list every container",
    "names, images, labels and addresses of others",
    () => "/v1.41/containers/json?all=1",
    ours(),
  ],
  [
    "to list the running containers",
    "names, images, labels and addresses of others",
    () => "/v1.41/containers/json",
    ours({}, {}),
  ],
  [
    "to list every container with its size",
    "names of others, and work for the disk",
    () => "/v1.41/containers/json?all=1&size=1",
    ours({}, { all: "1", size: "1" }),
  ],
  [
    "to list the last containers",
    "names of others",
    () => "/v1.41/containers/json?limit=100",
    ours({}, { limit: "100" }),
  ],
  [
    "to list containers by a name of others",
    "whether they are there",
    ({ foreign }) => containers({ name: { [foreign.name]: true } }),
    ({ foreign, ...world }) => ours({ name: [foreign.name] })({ ...world, foreign }),
  ],
  [
    "to list containers by a name, in the form of a list",
    "whether they are there",
    ({ foreign }) => containers({ name: [foreign.name] }),
    ({ foreign, ...world }) => ours({ name: [foreign.name] })({ ...world, foreign }),
  ],
  [
    "to list containers by any name",
    "a pattern that every name matches",
    () => containers({ name: [".*"] }),
    ours({ name: [".*"] }),
  ],
  [
    "to list containers by the id of others",
    "whether they are there",
    ({ foreign }) => containers({ id: [foreign.id] }),
    ({ foreign, ...world }) => ours({ id: [foreign.id] })({ ...world, foreign }),
  ],
  [
    "to list containers by a label of others",
    "which of them carry it",
    () => containers({ label: ["owner"] }),
    ours({ label: ["owner"] }),
  ],
  [
    "to list containers by our label's name alone",
    "a filter of the client in the place of the guard's",
    () => containers({ label: ["sandbox-deploy.guard"] }),
    ours({ label: ["sandbox-deploy.guard"] }),
    "answer",
  ],
  [
    "to list containers of another guard",
    "sandboxes of another gateway",
    () => containers({ label: ["sandbox-deploy.guard=other"] }),
    ours({ label: ["sandbox-deploy.guard=other"] }),
    nothing,
  ],
  [
    "to list containers by our label as a key that is false",
    "a value that counts for one reader and not for another",
    ({ run }) => containers({ label: { [`sandbox-deploy.guard=escape-${run}`]: false } }),
    no("query."),
    "answer",
  ],
  [
    "to list containers by a label that is not there",
    "filters that newer engines know",
    ({ run }) => containers({ "label!": [`sandbox-deploy.guard=escape-${run}`] }),
    no("query."),
    refusedByEngine,
  ],
  [
    "to list containers with Label in upper case",
    "a second filter beside the guard's",
    () => containers({ Label: ["owner"] }),
    no("query."),
    refusedByEngine,
  ],
  [
    "to list containers of somebody's image",
    "which of them run it",
    ({ foreignImage }) => containers({ ancestor: [foreignImage.reference] }),
    ({ foreignImage, ...world }) => ours({ ancestor: [foreignImage.reference] })({ ...world, foreignImage }),
  ],
  [
    "to list containers of somebody's network",
    "who is there",
    ({ foreignNetwork }) => containers({ network: [foreignNetwork.name] }),
    no("query."),
  ],
  [
    "to list containers of somebody's volume",
    "who uses it",
    ({ foreignVolume }) => containers({ volume: [foreignVolume] }),
    no("query."),
  ],
  [
    "to list containers by a port",
    "which of them publish it",
    () => containers({ publish: ["1-65535"] }),
    no("query."),
    nothing,
  ],
  [
    "to list containers before one of somebody",
    "whether it is there, by the engine's answer",
    ({ foreign }) => containers({ before: [foreign.name] }),
    no("query."),
    nothing,
  ],
  [
    "to list containers since one of somebody",
    "whether it is there, by the engine's answer",
    ({ foreign }) => containers({ since: [foreign.name] }),
    no("query."),
    "answer",
  ],
  [
    "to list containers before one of somebody, as a parameter",
    "whether it is there, by the engine's answer",
    ({ foreign }) => `/v1.41/containers/json?all=1&before=${foreign.name}`,
    no("query."),
    "effect",
  ],
  [
    "to list containers that are no tasks",
    "a filter of swarms",
    () => containers({ "is-task": ["false"] }),
    no("query."),
  ],
  [
    "to list with two filters parameters",
    "one reader takes the first, another the last",
    ({ run }) => `${containers({ label: [`sandbox-deploy.guard=escape-${run}`] })}&${filters({})}`,
    no("query."),
    "answer",
  ],
  [
    "to list with Filters in upper case",
    "a parameter that another reader finds",
    () => `/v1.41/containers/json?all=1&Filters=%7B%7D`,
    no("query."),
  ],
  [
    "to list with filters that have a key twice",
    "one reader takes the first, another the last",
    ({ run }) =>
      `/v1.41/containers/json?all=1&filters=${encodeURIComponent(`{"label":["sandbox-deploy.guard=escape-${run}"],"label":["owner"]}`)}`,
    no("json."),
    "effect",
  ],
  [
    "to list with filters that are no JSON",
    "an engine that ignores what it cannot read",
    () => "/v1.41/containers/json?all=1&filters=%7B",
    no("json."),
    refusedByEngine,
  ],
  [
    "to list with filters that are a list",
    "an engine that ignores what it cannot read",
    () => "/v1.41/containers/json?all=1&filters=%5B%5D",
    no("query."),
    refusedByEngine,
  ],
  [
    "to list with filters that are null",
    "an engine that ignores what it cannot read",
    () => "/v1.41/containers/json?all=1&filters=null",
    no("query."),
  ],
  [
    "to list by an old path",
    "a route that only old engines have",
    () => "/v1.41/containers/ps",
    no("route."),
    refusedByEngine,
  ],
];

/** Lists and filters: what reaches the engine asks for our own things only, whatever the client asked for. */
export const listEscapes: Table = (world) =>
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
