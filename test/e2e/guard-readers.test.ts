import { request } from "node:http";
import fc from "fast-check";
import { expect, test } from "vitest";
import { familiarReference } from "../../src/guard/model/image-reference.ts";
import { isAtLeast } from "../../src/guard/request/api-version.ts";
import { readFlag } from "../../src/guard/request/query.ts";
import { knownFacts, refusal } from "../guard/support/decisions.ts";
import { type GoObject, hostConfigOf, readAsGo } from "../guard/support/go-json.ts";
import { type LooseField, textOf } from "../guard/support/loose-json.ts";
import { output } from "../support/command.ts";

const apiVersion = (await output("docker", ["version", "--format", "{{.Server.APIVersion}}"])).trim();
const facts = { ...knownFacts, engine: { apiVersion } };
/** From Engine 26 on. */
const isNewer = isAtLeast(apiVersion, "1.45");

interface Answer {
  readonly status: number;
  readonly message: string;
}

/** Asks the engine itself. */
function ask(method: string, path: string, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "Content-Type": "application/json" };
    const sent = request({ socketPath: "/var/run/docker.sock", method, path, headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk) => {
        text += chunk;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, message: messageOf(text) }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function messageOf(text: string): string {
  try {
    return String(JSON.parse(text).message);
  } catch {
    return text;
  }
}

/** What the engine says of a body that is refused for its restart policy, or else for an image that nobody has. */
function expected(body: GoObject): string {
  const restart = hostConfigOf(body).get("restartpolicy");
  const name = restart instanceof Map ? (restart.get("name") ?? "") : "";
  if (name !== "") return `restart policy ${name}`;
  return `No such image: ${body.get("image")}:latest`;
}

/** A refusal without the words around it, which change with the engine. */
function plainly(message: string): string {
  return message.replace(/^invalid restart policy.*?'(.*?)'.*$/s, "restart policy $1");
}

const quoted = (...texts: string[]) => fc.constantFrom(...texts.map((text) => JSON.stringify(text)), "null");
const policies: fc.Arbitrary<LooseField> = fc
  .array(
    quoted("evil-one", "evil-two", "").map((value) => ({ key: "Name", value })),
    { maxLength: 3 },
  )
  .map((fields) => ({ key: "RestartPolicy", value: { fields } }));
const hosts: fc.Arbitrary<LooseField> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.array(policies, { maxLength: 2 }).map((fields) => ({ key: "HostConfig", value: { fields } })),
  },
  { weight: 1, arbitrary: fc.constant({ key: "HostConfig", value: "null" }) },
);
const images: fc.Arbitrary<LooseField> = quoted("nobody/one", "nobody/two").map((value) => ({ key: "Image", value }));
// The first image is spelled plainly: without any, the engine would create a container from nothing.
const bodies = fc
  .tuple(
    // Older engines take fields of a HostConfig also where they stand beside it.
    fc.array(fc.oneof(hosts, ...(isNewer ? [] : [policies]), images), { maxLength: 4 }),
    // Newer engines refuse what stands behind a body, as the guard does with every one.
    fc.constantFrom("", "", "", " ", ...(isNewer ? [] : ["{}", "trailing", "\0"])),
  )
  .chain(([fields, after]) =>
    textOf({ fields: [{ key: "Image", value: '"nobody/first"' }, ...fields] }).map(
      (text) => text.replace("{", '{"Cmd":["true"],"Image":"nobody/zero",') + after,
    ),
  );

test("the lenient reader that the guard is fuzzed against reads a body as the engine does", async () => {
  await fc.assert(
    fc.asyncProperty(bodies, async (body) => {
      const { message } = await ask("POST", "/v1.41/containers/create", body);
      expect(plainly(message)).toBe(expected(readAsGo(body)));
    }),
    { numRuns: 400 },
  );
});

test("a reference to an image means to the guard what it means to the engine", async () => {
  const digest = `sha256:${"a".repeat(64)}`;
  // No first part is of hexadecimal digits alone: the engine would find an image whose id begins with it.
  const parts = ["k", "pqr", "localhost", "a.b", "a:5000", "x_y", "x__y", "x___y", "x-y", "x--y", "-x", "x-", "a..b"];
  const more = ["Abc", "docker.io", "index.docker.io", "library", "a.b:80", "e.x-y", "x._y", ".a", "a.", "127.0.0.1"];
  const versions = ["", "", ":1", ":latest", ":V.x-1", ":-1", ":_x", `:${"a".repeat(129)}`, `@${digest}`, "@sha256:aa"];
  const reference = fc
    .tuple(fc.array(fc.constantFrom(...parts, ...more), { minLength: 1, maxLength: 3 }), fc.constantFrom(...versions))
    .map(([path, version]) => `nobody-${path.join("/")}${version}`);
  const bare = reference.map((text) => text.replace(/^nobody-/, ""));
  await fc.assert(
    fc.asyncProperty(fc.oneof(reference, bare), async (text) => {
      const { message } = await ask("GET", `/v1.41/images/${text}/json`);
      // It shows a tag that stands beside a digest, but looks for the digest alone.
      const meant = /No such image: (.*)$/.exec(message)?.[1]?.replace(/:[^/@]*@/, "@");
      // To newer engines a first part with a capital is a registry; the guard knows no such registry, and allows no such image.
      const isCapital = isNewer && /^[^/]*[A-Z][^/]*\//.test(text);
      expect(familiarReference(text)).toBe(isCapital ? undefined : meant);
    }),
    { numRuns: 600 },
  );
});

test("what is true or false in a query is so to the engine", async () => {
  for (const value of ["1", "true", "True", "yes", "0", "false", "False", "no", "none", ""]) {
    // Without a stream the engine refuses, so that its answer tells how it read the value.
    const { status } = await ask("GET", `/v1.41/containers/nobody/logs?stdout=${value}`);
    expect([value, status === 404]).toEqual([value, readFlag(value)]);
  }
});

test.each([
  "GET /containers/nobody/json",
  "GET /containers/no/body/json",
  "GET /containers/nobody/logs?stdout=1",
  "GET /containers/nobody/top",
  "GET /containers/nobody/stats",
  "GET /containers/nobody/archive?path=/",
  "PUT /containers/nobody/archive?path=/",
  "POST /containers/nobody/start",
  "POST /containers/nobody/stop",
  "POST /containers/nobody/restart",
  "POST /containers/nobody/kill",
  "POST /containers/nobody/wait",
  "POST /containers/nobody/pause",
  "POST /containers/nobody/unpause",
  "POST /containers/nobody/resize?h=1&w=1",
  "POST /containers/nobody/attach?stream=1",
  'POST /containers/nobody/exec {"Cmd":["true"]}',
  "DELETE /containers/nobody",
  `POST /exec/${"0".repeat(64)}/start {}`,
  `POST /exec/${"0".repeat(64)}/resize?h=1&w=1`,
  `GET /exec/${"0".repeat(64)}/json`,
  "GET /networks/nobody",
  "GET /volumes/nobody",
  "GET /plugins/no/body/json",
  "GET /v1.99/version",
])("what does not exist is answered by the guard as by the engine: %s", async (line) => {
  const [method = "", target = "", body] = line.split(" ");
  const answer = await ask(method, target, body);
  const { status, message } = refusal(line, body, undefined, undefined, facts);
  expect({ status, message }).toEqual({ ...answer, message: answer.message.trim() });
});
