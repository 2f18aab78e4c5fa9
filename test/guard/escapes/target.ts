import { type Escape, type Expectation, hidden, refused, type Table, tooOld, type Unguarded } from "./escape.ts";
import type { World } from "./world.ts";

type Row = readonly [
  tries: string,
  why: string,
  target: (world: World) => string,
  unguarded?: Unguarded,
  expect?: Expectation | ((world: World) => Expectation),
];

const redirected: Unguarded = { none: "engine 20.10 answers with another address" };
const notFound: Unguarded = { none: "engine 20.10 finds no such page" };
const badRequest: Unguarded = { none: "engine 20.10 answers 400 to it" };
const beyond = ({ apiVersion }: World) => `1.${Number(apiVersion.slice(2)) + 1}`;
const tooNew = (world: World): Expectation => ({
  kind: "said",
  status: 400,
  message: `client version ${beyond(world)} is too new. Maximum supported API version is ${world.apiVersion}`,
});
const list = "/containers/json?all=1";

const rows: readonly Row[] = [
  ["an escaped letter", "the engine decodes the path before it looks", () => `/v1.41/%63ontainers/json?all=1`],
  ["an escaped letter in the version", "the engine decodes the path before it looks", () => `/%761.41${list}`],
  ["an escaped slash", "the engine decodes the path before it looks", () => "/v1.41/containers%2fjson?all=1"],
  [
    "an escaped slash in a name",
    "one name to one reader, a path to another",
    ({ mine, foreign }) => `/v1.41/containers/${mine.name}%2f..%2f${foreign.name}/json`,
    redirected,
  ],
  [
    "an escape within an escape",
    "a second reader decodes once more",
    () => "/v1.41/%2563ontainers/json?all=1",
    notFound,
  ],
  ["an escaped dot", "a way up to whoever decodes", () => "/v1.41/images/%2e%2e/containers/json?all=1", redirected],
  ["a broken escape", "readers differ in what it is", () => "/v1.41/%6containers/json?all=1", badRequest],
  ["an overlong escape", "a slash to readers that are lenient", () => "/v1.41/containers%c0%afjson?all=1", notFound],
  ["a dot segment", "readers differ in whether it counts", () => "/v1.41/./containers/json?all=1", redirected],
  ["the way up", "a path that begins as an allowed one", () => "/v1.41/images/../containers/json?all=1", redirected],
  [
    "the way up from an allowed name",
    "a name that is allowed before a path that is not",
    ({ foreign, mine }) => `/v1.41/containers/${mine.name}/../${foreign.name}/json`,
    redirected,
  ],
  ["the way up at the end", "readers differ in what is left", () => "/v1.41/containers/json/..", redirected],
  ["a backslash", "a slash to readers on Windows", () => "/v1.41\\containers\\json?all=1", notFound],
  ["two slashes", "readers differ in whether they are one", () => "/v1.41//containers/json?all=1", redirected],
  [
    "two slashes at the beginning",
    "a host's name to readers of addresses",
    () => "//containers/json?all=1",
    redirected,
  ],
  ["a slash at the end", "another route to some routers", () => "/v1.41/containers/json/?all=1", notFound],
  [
    "a path in another case",
    "the same route to routers that do not look at case",
    () => "/v1.41/Containers/json?all=1",
    notFound,
  ],
  [
    "a version with a dot more",
    "the engine takes what its pattern takes",
    () => "/v1.41./containers/json?all=1",
    "effect",
  ],
  ["a version with a leading zero", "another version to one reader", () => `/v01.41${list}`, "effect"],
  ["a version with three parts", "the engine takes what its pattern takes", () => `/v1.41.0${list}`, "effect"],
  ["a version with a word", "the engine takes what its pattern takes", () => `/v1.41-evil${list}`, badRequest],
  ["a version of one digit", "the engine takes what its pattern takes", () => `/v1${list}`, badRequest],
  ["an upper-case V", "a path without a version to the engine", () => `/V1.41${list}`, notFound],
  ["two versions", "one reader strips the first, another the second", () => `/v1.41/v1.24${list}`, notFound],
  ["the version before the floor", "old versions do more", () => `/v1.23${list}`, "effect", tooOld("1.23")],
  ["the oldest version", "old versions do more", () => `/v1.12${list}`, "effect", tooOld("1.12")],
  [
    "a version beyond the engine's",
    "a version that nobody checked",
    (world) => `/v${beyond(world)}${list}`,
    badRequest,
    tooNew,
  ],
  ["a version far beyond", "a version that nobody checked", () => `/v9.99${list}`, badRequest],
  ["a version with a huge number", "a number that overflows", () => `/v1.18446744073709551657${list}`, badRequest],
  [
    "an absolute address",
    "a proxy's form, whose path other readers find elsewhere",
    () => `http://docker/v1.41${list}`,
  ],
  [
    "an absolute address with a user",
    "a proxy's form, whose host other readers find elsewhere",
    () => `http://docker@evil/v1.41${list}`,
  ],
  ["an address of another scheme", "a file to some readers", () => `file:///v1.41${list}`],
  ["a host in place of a path", "a proxy's form for connections", () => "docker:80", notFound],
  ["a star", "a form that only OPTIONS has", () => "*", notFound],
  ["an empty path", "readers differ in what it is", () => "?all=1", badRequest],
  ["a path without a slash", "readers differ in what it is", () => "v1.41/containers/json?all=1", badRequest],
  ["a fragment", "one reader cuts it off, another does not", () => `/v1.41/containers/json#?all=1`, notFound],
  ["a fragment in the query", "one reader cuts it off, another does not", () => `/v1.41/containers/json?all=1#x`],
  [
    "parameters of a path segment",
    "readers differ in whether they belong to it",
    () => "/v1.41/containers;x=1/json?all=1",
    notFound,
  ],
  ["a letter that is not ASCII", "readers differ in its spelling", () => "/v1.41/contain\u00e9rs/json?all=1", notFound],
  [
    "a letter that looks like another",
    "a name that is read as an allowed one",
    () => "/v1.41/containers/\u0430/json",
    notFound,
  ],
  ["a NUL", "programs in C end the text there", () => "/v1.41/containers/json\u0000?all=1", badRequest],
  ["an escaped NUL", "programs in C end the text there", () => "/v1.41/containers/json%00?all=1", notFound],
  ["a tab", "a space to readers that are lenient", () => "/v1.41/containers/json\t?all=1", badRequest],
  [
    "an escaped line end",
    "a header to whoever writes it out",
    () => "/v1.41/containers/json%0d%0aX:%20y?all=1",
    notFound,
  ],
  [
    "a target of 20,000 characters",
    "a reader that cuts it off sees another",
    () => `/v1.41/containers/${"a".repeat(20_000)}/json`,
    notFound,
  ],
  [
    "a container called json",
    "a name that is a route",
    () => "/v1.41/containers/json/json",
    notFound,
    hidden("No such container: json"),
  ],
  ["a container called create", "a name that is a route", () => "/v1.41/containers/create/start", notFound],
];

/** One target that two readers understand differently: refused before anything is decoded. */
export const targetEscapes: Table = (world) =>
  rows.map(
    ([tries, why, target, unguarded = "effect", expect = refused("")]): Escape => ({
      class: "target",
      tries: `to write the path with ${tries}`,
      why,
      request: { method: "GET", target: target(world) },
      expect: typeof expect === "function" ? expect(world) : expect,
      unguarded,
    }),
  );
