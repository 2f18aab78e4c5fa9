import { create, type Escape, refused, type Table, type Unguarded } from "./escape.ts";
import type { World } from "./world.ts";

type Spelling = readonly [
  tries: string,
  why: string,
  body: (world: World) => string,
  rule: string,
  unguarded?: Unguarded,
];

const image = (world: World) => `"Image":"${world.image.reference}","Cmd":["sleep","300"]`;
const field = (text: string) => (world: World) => `{${image(world)},${text}}`;
const host = (text: string) => field(`"HostConfig":{${text}}`);
const ignored: Unguarded = { none: "engine 20.10 reads one value and ignores the rest" };
const notRead: Unguarded = { none: "engine 20.10 answers 400 to it" };

const anyCase = "Go finds a field without regard to case, so the container is privileged";
const folded =
  "Go folds this letter to an ASCII one, so the field is found by a name that no comparison of ours would find";
const merged = "Go merges what stands twice, where JSON.parse keeps the last";
const flat = "engines up to 26.1 take the top level for HostConfig where that is missing";

const spellings: readonly Spelling[] = [
  [
    "privileged below a lower-case hostconfig",
    anyCase,
    field('"hostconfig":{"Privileged":true}'),
    "config.unknown-field",
  ],
  [
    "privileged below an upper-case HOSTCONFIG",
    anyCase,
    field('"HOSTCONFIG":{"Privileged":true}'),
    "config.unknown-field",
  ],
  ["lower-case privileged", anyCase, host('"privileged":true'), "host-config.unknown-field"],
  ["privileged in mixed case", anyCase, host('"pRiViLeGeD":true'), "host-config.unknown-field"],
  ["upper-case BINDS", anyCase, host('"BINDS":["/:/host"]'), "host-config.unknown-field"],
  [
    "lower-case mounts with lower-case fields",
    anyCase,
    host('"mounts":[{"type":"bind","source":"/","target":"/host"}]'),
    "host-config.unknown-field",
  ],
  ["HostConfig with a long s, escaped", folded, field(String.raw`"Ho\u017ftConfig":{"Privileged":true}`), "json."],
  ["HostConfig with a long s in UTF-8", folded, field('"Ho\u017ftConfig":{"Privileged":true}'), "json."],
  ["NetworkMode with a Kelvin sign, escaped", folded, host(String.raw`"Networ\u212aMode":"host"`), "json."],
  ["NetworkMode with a Kelvin sign in UTF-8", folded, host('"Networ\u212aMode":"host"'), "json."],
  ["Binds with a long s", folded, host('"Bind\u017f":["/:/host"]'), "json."],
  ["Mounts with a long s", folded, host('"Mount\u017f":[{"Type":"bind","Source":"/","Target":"/host"}]'), "json."],
  [
    "Devices with a long s",
    folded,
    host('"Device\u017f":[{"PathOnHost":"/dev/mem","PathInContainer":"/dev/mem","CgroupPermissions":"rwm"}]'),
    "json.",
  ],
  ["MaskedPaths with a long s and a Kelvin sign", folded, host('"Ma\u017f\u212aedPath\u017f":[]'), "json."],
  [
    "privileged, written with escapes for ASCII letters",
    "an escape is the letter itself",
    host(String.raw`"\u0050rivileged":true`),
    "host-config.",
  ],
  [
    "HostConfig twice, the first one privileged",
    merged,
    field('"HostConfig":{"Privileged":true},"HostConfig":{}'),
    "json.",
  ],
  ["HostConfig and hostconfig", merged, field('"HostConfig":{},"hostconfig":{"Privileged":true}'), "json."],
  ["Privileged and privileged", merged, host('"Privileged":false,"privileged":true'), "json."],
  [
    "Privileged twice, false first",
    "the last one counts, and a reader that keeps the first sees nothing",
    host('"Privileged":false,"Privileged":true'),
    "json.",
  ],
  [
    "two Mounts arrays whose elements merge",
    merged,
    host('"Mounts":[{"Type":"bind","Source":"/","Target":"/host"}],"Mounts":[{"ReadOnly":false}]'),
    "json.",
  ],
  [
    "two Labels objects, one with a label of ours",
    merged,
    field('"Labels":{"sandbox-deploy.guard":"other"},"Labels":{}'),
    "json.",
  ],
  [
    "Image twice",
    "one reader checks the first, the other runs the last",
    (world) => `{"Image":"${world.image.reference}","Image":"${world.foreignImage.reference}"}`,
    "json.",
  ],
  [
    "a second Image in lower case",
    "Go takes the last one whatever its case",
    (world) => `{"Image":"${world.image.reference}","image":"${world.foreignImage.reference}"}`,
    "json.",
  ],
  [
    "a duplicate key spelled with an escape",
    "the same key once the escape is read",
    host(String.raw`"Privileged":false,"Privilege\u0064":true`),
    "json.",
  ],
  [
    "a privileged object before a harmless one",
    "the engine reads the first, a reader of lines may check the last",
    (world) => `{${image(world)},"HostConfig":{"Privileged":true}}\n{${image(world)}}`,
    "json.",
  ],
  [
    "a harmless object before a privileged one",
    "old engines ignore the rest, others need not",
    (world) => `{${image(world)}}{"HostConfig":{"Privileged":true}}`,
    "json.",
    ignored,
  ],
  [
    "bytes of another request behind the body",
    "what is ignored here is the next request elsewhere",
    (world) => `{${image(world)}}POST /v1.41/containers/create HTTP/1.1\r\n\r\n`,
    "json.",
    ignored,
  ],
  [
    "a byte order mark before the body",
    "readers differ in whether it is part of the text",
    (world) => `\ufeff{${image(world)},"HostConfig":{"Privileged":true}}`,
    "json.",
    notRead,
  ],
  [
    "a comment in the body",
    "readers that allow comments see another text",
    (world) => `{${image(world)},/*"HostConfig":{*/"HostConfig":{"Privileged":true}}`,
    "json.",
    notRead,
  ],
  [
    "a trailing comma",
    "only some readers accept it",
    (world) => `{${image(world)},"HostConfig":{"Privileged":true},}`,
    "json.",
    notRead,
  ],
  [
    "single quotes",
    "only some readers accept them",
    (world) => `{${image(world)},'HostConfig':{'Privileged':true}}`,
    "json.",
    notRead,
  ],
  ["NaN for a number", "only some readers accept it", host('"Memory":NaN'), "json.", notRead],
  [
    "a body that is an array",
    "an array of one object is an object to some readers",
    (world) => `[{${image(world)},"HostConfig":{"Privileged":true}}]`,
    "",
    notRead,
  ],
  [
    "a body that is null",
    "null is an empty object to the engine",
    () => "null",
    "",
    { none: "engine 20.10 refuses a container without an image" },
  ],
  ["a body that is empty", "an empty body has no image that could be checked", () => "", "", notRead],
  [
    "a body that is cut off",
    "what is missing is not false",
    (world) => `{${image(world)},"HostConfig":{"Privileged":true`,
    "json.",
    notRead,
  ],
  ["HostConfig null and a flat Privileged", flat, field('"HostConfig":null,"Privileged":true'), ""],
  ["a flat Privileged", flat, field('"Privileged":true'), ""],
  ["flat Binds", flat, field('"Binds":["/:/host"]'), ""],
  ["a flat NetworkMode", flat, field('"NetworkMode":"host"'), ""],
  ["a flat PidMode", flat, field('"PidMode":"host"'), ""],
  ["a flat CapAdd", flat, field('"CapAdd":["SYS_ADMIN"]'), ""],
  [
    "flat Devices",
    flat,
    field('"Devices":[{"PathOnHost":"/dev/mem","PathInContainer":"/dev/mem","CgroupPermissions":"rwm"}]'),
    "",
  ],
  ["flat Mounts", flat, field('"Mounts":[{"Type":"bind","Source":"/","Target":"/host"}]'), ""],
  [
    "a flat Memory beside a HostConfig",
    "some top-level limits count beside one",
    field('"Memory":4000000000000,"HostConfig":{"Memory":0}'),
    "",
  ],
  [
    "a flat CpuShares beside a HostConfig",
    "some top-level limits count beside one",
    field('"CpuShares":262144,"HostConfig":{}'),
    "",
  ],
  [
    "a flat VolumeDriver beside a HostConfig",
    "some top-level settings count beside one",
    field('"VolumeDriver":"local","HostConfig":{}'),
    "",
  ],
];

/** Bodies that have one meaning for a reader that follows the rules of JSON and another for the engine. */
export const jsonEscapes: Table = (world) => spellings.map((spelling) => escapeOf(world, spelling));

function escapeOf(world: World, [tries, why, body, rule, unguarded = "effect"]: Spelling): Escape {
  const text = body(world);
  const request = create(world, { raw: text });
  return {
    class: "json",
    tries: `to write ${tries}`,
    why,
    expect: refused(rule),
    unguarded,
    request: text === "invalid" ? { ...request, body: invalidUtf8(world) } : request,
  };
}

function invalidUtf8(world: World): Uint8Array {
  const [before, after] = [`{${image(world)},"HostConfig":{"Privileged`, '":true}}'];
  return Buffer.concat([Buffer.from(before), Buffer.from([0xff]), Buffer.from(after)]);
}
