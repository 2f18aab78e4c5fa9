import { create, createBody, type Escape, refused, type Table, type Unguarded } from "./escape.ts";
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
const notRead: Unguarded = { none: "engine 20.10 answers 400 to it" };
const notAField: Unguarded = { none: "engine 20.10 knows no such field" };

const spellings: readonly Spelling[] = [
  ["a number with an exponent", "1e12 is an integer to some readers only", host('"Memory":1e12'), "json.", notRead],
  [
    "a number with a fraction of zero",
    "1.0 is an integer to some readers only",
    host('"PidsLimit":1.0'),
    "json.",
    notRead,
  ],
  ["a number beyond what a double holds", "a double rounds it, Go does not", host('"Memory":9007199254740993'), ""],
  [
    "the largest number of 64 bits",
    "a limit that limits nothing",
    host('"Memory":9223372036854775807,"MemorySwap":-1'),
    "",
  ],
  ["a number with a leading zero", "octal to some readers", host('"PidsLimit":010'), "json.", notRead],
  ["a string where a boolean belongs", '"true" is true to some readers', host('"Privileged":"true"'), "", notRead],
  ["a number where a boolean belongs", "1 is true to some readers", host('"Privileged":1'), "", notRead],
  [
    "an object where a list belongs",
    "a list by its indices to some readers",
    host('"CapAdd":{"0":"SYS_ADMIN"}'),
    "",
    notRead,
  ],
  ["a string where a list belongs", "one element to some readers", host('"CapAdd":"SYS_ADMIN"'), ""],
  [
    "__proto__ with Privileged in it",
    "it becomes the prototype of an object in JavaScript",
    host('"__proto__":{"Privileged":true}'),
    "",
    notAField,
  ],
  [
    "constructor.prototype with Privileged in it",
    "it reaches every object in JavaScript",
    host('"constructor":{"prototype":{"Privileged":true}}'),
    "",
    notAField,
  ],
  [
    "a lone surrogate in a bind",
    "Go writes another character in its place, so what was checked is not what is mounted",
    host(String.raw`"Binds":["/etc\ud800:/host"]`),
    "json.",
  ],
  [
    "bytes that are no UTF-8 in a key",
    "Go writes another character in their place",
    () => "invalid",
    "json.",
    notAField,
  ],
  ["a NUL in a bind", "programs in C end the text there", host(String.raw`"Binds":["/\u0000/srv:/host"]`), ""],
  [
    "a bind with escaped slashes",
    "the escape is the slash itself",
    host(String.raw`"Binds":["\/:\u002fhost"]`),
    "bind.",
  ],
  [
    "an object nested 5,000 deep",
    "a reader that follows it in its own stack dies",
    (world) => `{${image(world)},"Env":${"[".repeat(5000)}${"]".repeat(5000)}}`,
    "json.",
    notRead,
  ],
  [
    "a body of 5 million bytes",
    "a reader that keeps it all can be made to run out of memory",
    (world) => `{${image(world)},"Domainname":"${"x".repeat(5_000_000)}"}`,
    "",
    { unsafe: "the engine keeps it" },
  ],
  [
    "100,000 variables",
    "a list without an end keeps the guard and the engine busy",
    (world) =>
      JSON.stringify(createBody(world, { config: { Env: Array.from({ length: 100_000 }, (_, at) => `A${at}=`) } })),
    "",
    { unsafe: "the engine keeps it" },
  ],
];

/** Values that readers of JSON take for different things, or that are too much for them. */
export const jsonValueEscapes: Table = (world) => spellings.map((spelling) => escapeOf(world, spelling));

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
