import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createRedactor,
  createStreamRedactor,
  looksSecret,
  redactedMark,
  redactModel,
} from "../../../src/core/secrets/redact.ts";

const secret = `p$a'ss/w"ö\\r+d~ =<x>`;
const redact = createRedactor([secret]);
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("a secret is replaced", () => {
  test.each([
    ["plain", secret],
    ["as Compose escapes it", secret.replaceAll("$", "$$$$")],
    ["as a URL component", encodeURIComponent(secret)],
    ["as a URL component in lower case", encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase())],
    ["as a form field", new URLSearchParams({ k: secret }).toString().slice(2)],
    ["in JSON", JSON.stringify(secret).slice(1, -1)],
    ["in JSON of JSON", JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
    ["in JSON without HTML", JSON.stringify(secret).slice(1, -1).replaceAll("<", "\\u003c").replaceAll(">", "\\u003e")],
    ["in JSON of ASCII", JSON.stringify(secret).slice(1, -1).replaceAll("ö", "\\u00f6")],
    ["in JSON, as Compose escapes it", JSON.stringify(secret.replaceAll("$", "$$$$")).slice(1, -1)],
    ["in single quotes of a shell", secret.replaceAll("'", `'\\''`)],
    ["in double quotes of a shell", secret.replace(/[\\"$`]/g, "\\$&")],
    ["in single quotes of YAML", secret.replaceAll("'", "''")],
    ["in base64", base64(secret)],
    ["in base64url", Buffer.from(secret).toString("base64url")],
    ["in hex", Buffer.from(secret).toString("hex")],
    ["in upper-case hex", Buffer.from(secret).toString("hex").toUpperCase()],
  ])("%s", (_, spelling) => {
    expect(redact(`before:${spelling}:after`)).toBe(`before:${redactedMark}:after`);
  });

  test.each(["", "u", "us", "use", "user:", "user12"])("inside a longer text in base64, behind %j", (before) => {
    const encoded = base64(`${before}${secret}:behind`);
    const shown = redact(`Basic ${encoded}`);
    expect(shown).toContain(redactedMark);
    // What is left around it may give away the rest of a byte at each end, no more.
    const kept = shown.replace("Basic ", "").split(redactedMark);
    const bytes =
      Math.ceil((Buffer.byteLength(before) * 8) / 6) + Math.ceil((Buffer.byteLength(":behind") * 8) / 6) + 4;
    expect(kept.join("").length).toBeLessThanOrEqual(bytes);
  });

  test("without the newline that ends its file, and line by line where it has several", () => {
    const key = "-----BEGIN KEY-----\nMIIabcdefgh\nzyxwvutsrq\n-----END KEY-----\n";
    const hide = createRedactor(["hunter22\n", key]);
    expect(hide("hunter22 svc | MIIabcdefgh\nsvc | zyxwvutsrq")).toBe(
      `${redactedMark} svc | ${redactedMark}\nsvc | ${redactedMark}`,
    );
  });

  test("together with one that it overlaps, so that no part of either is left", () => {
    expect(createRedactor(["abcdef", "defghi", "abcd"])("<abcdefghi> <abcd>")).toBe(
      `<${redactedMark}> <${redactedMark}>`,
    );
  });

  test("but not when it is shorter than four characters or empty", () => {
    expect(createRedactor(["", "abc", "   "])("abc abc    ")).toBe("abc abc    ");
  });

  test("and its mark is never redacted again, even if a secret is part of the mark", () => {
    const hide = createRedactor(["redacted", "acte"]);
    expect(hide(hide("is redacted"))).toBe(`is ${redactedMark}`);
  });
});

const sentinel = fc
  .string({ unit: fc.constantFrom(..."aAb$'\"\\/ &+é\n0"), minLength: 4, maxLength: 24 })
  .filter((text) => text.trim().length >= 4);

describe("whatever the secret", () => {
  test("no spelling of it is left in any text", () => {
    const spell = fc.constantFrom<(text: string) => string>(
      (text) => text,
      encodeURIComponent,
      base64,
      (text) => JSON.stringify(text).slice(1, -1),
    );
    fc.assert(
      fc.property(sentinel, fc.string(), fc.string(), spell, (value, before, after, write) => {
        const shown = createRedactor([value])(`${before}${write(value)}${after}`);
        expect(shown).toContain(redactedMark);
        expect(shown.replaceAll(redactedMark, "\u0000")).not.toContain(write(value));
      }),
      { seed: 31, numRuns: 400 },
    );
  });

  test("a stream shows what the whole text would show, wherever it is torn apart", () => {
    const text = fc.array(fc.oneof(sentinel, fc.string({ maxLength: 6 })), { maxLength: 6 });
    fc.assert(
      fc.property(
        fc.array(sentinel, { minLength: 1, maxLength: 3 }),
        text,
        fc.array(fc.nat(20)),
        (secrets, parts, sizes) => {
          const whole = [...secrets, ...parts, secrets[0]].join("");
          expect(streamed(secrets, tear(whole, sizes)).join("")).toBe(createRedactor(secrets)(whole));
        },
      ),
      { seed: 32, numRuns: 400 },
    );
  });
});

function tear(text: string, sizes: readonly number[]): string[] {
  const chunks: string[] = [];
  let rest = text;
  for (const size of sizes) {
    chunks.push(rest.slice(0, size));
    rest = rest.slice(size);
  }
  return [...chunks, rest];
}

function streamed(secrets: readonly string[], chunks: readonly string[]): string[] {
  const shown: string[] = [];
  const stream = createStreamRedactor(secrets, (text) => shown.push(text));
  for (const chunk of chunks) stream.write(chunk);
  stream.flush();
  return shown;
}

describe("a stream", () => {
  const value = "SENTINEL-0123456789";

  test("hides a secret that is split at any point, in any spelling", () => {
    for (const spelling of [value, base64(value), encodeURIComponent(value)]) {
      const text = `a ${spelling} z`;
      for (let at = 0; at <= text.length; at += 1) {
        expect(streamed([value], [text.slice(0, at), text.slice(at)]).join("")).toBe(`a ${redactedMark} z`);
        expect(streamed([value], [...text]).join("")).toBe(`a ${redactedMark} z`);
      }
    }
  });

  test("passes on at once what cannot belong to a secret, and holds back only what can", () => {
    const shown: string[] = [];
    const stream = createStreamRedactor([value], (text) => shown.push(text));
    stream.write("step 1\n");
    expect(shown).toEqual(["step 1\n"]);
    stream.write("done SENT");
    expect(shown).toEqual(["step 1\n", "done "]);
    stream.write("ENCE\n");
    expect(shown.join("")).toBe("step 1\ndone SENTENCE\n");
    stream.write("SENTINEL");
    stream.flush();
    expect(shown.join("")).toBe("step 1\ndone SENTENCE\nSENTINEL");
  });

  test("does not let a secret through whose end begins another one", () => {
    expect(streamed(["xxabc", "abcdef"], ["..xxabc", "deg"]).join("")).toBe(`..${redactedMark}deg`);
    expect(streamed(["xxabc", "abcdef"], ["..xxabc", "def"]).join("")).toBe(`..${redactedMark}`);
  });
});

describe("names", () => {
  test.each(
    (
      "API_KEY OPENAI_API_KEY apiKey api-key SIGNING_KEYS GITHUB_TOKEN authToken ACCESS_TOKEN_2 POSTGRES_PASSWORD PGPASSWORD DB_PASS " +
      "DB_PWD SECRET CLIENT_SECRET_VALUE AWS_CREDENTIALS PRIVATE_PEM SENTRY_DSN AUTHORIZATION traefik.http.middlewares.a.basicauth.users"
    ).split(" "),
  )("%s holds a secret", (name) => expect(looksSecret(name)).toBe(true));

  test.each(
    "PATH PWD KEYCLOAK_URL POSTGRES_USER POSTGRES_PASSWORD_FILE SECRETS_DIR KEY_PATH SSH_PUBLIC_KEY MAX_TOKENS TOKENIZER BYPASS_CACHE PORT image value".split(
      " ",
    ),
  )("%s holds none", (name) => expect(looksSecret(name)).toBe(false));
});

describe("the merged model", () => {
  const model = {
    name: "demo",
    services: {
      gateway: {
        build: { args: { NPM_TOKEN: "tok-1", NODE: "20" } },
        command: ["serve", "--api-key=tok-2", "--log=info", "known-SENTINEL"],
        environment: { API_KEY: "v1", PIN_PASSWORD: 1234, EMPTY_TOKEN: "", UNSET_TOKEN: null, MODE: "aio" },
        healthcheck: { test: ["CMD-SHELL", "curl -H 'X: SENTINEL$$1' localhost"], retries: 3 },
        labels: ["APP_SECRET=v2", "tier=front"],
        ports: [{ target: 80, published: "8080" }],
      },
      store: { environment: ["REDIS_URL=redis://:pw@store:6379/0", "DATABASE_URL=postgres://app:p:w@db/app?x=1"] },
    },
    secrets: { db_password: { name: "demo_db_password", file: "/run/x" }, inline: { content: "v3" } },
    "x-sandbox-deploy": { secrets: { STORE: { value: "v4", bytes: 24, file: "store" } } },
    "x-sandbox-deploy-own": { secrets: { OTHER: { value: "v5", bytes: 24 } } },
    "x-git": "https://ghp_abc@github.com/a/b.git and https://github.com/@scope",
  };

  test("keeps its structure and everything that is no secret", () => {
    expect(redactModel(model, createRedactor(["SENTINEL$1", "known-SENTINEL"]))).toEqual({
      name: "demo",
      services: {
        gateway: {
          build: { args: { NPM_TOKEN: redactedMark, NODE: "20" } },
          command: ["serve", `--api-key=${redactedMark}`, "--log=info", redactedMark],
          environment: {
            API_KEY: redactedMark,
            PIN_PASSWORD: redactedMark,
            EMPTY_TOKEN: "",
            UNSET_TOKEN: null,
            MODE: "aio",
          },
          healthcheck: { test: ["CMD-SHELL", `curl -H 'X: ${redactedMark}' localhost`], retries: 3 },
          labels: [`APP_SECRET=${redactedMark}`, "tier=front"],
          ports: [{ target: 80, published: "8080" }],
        },
        store: {
          environment: [
            `REDIS_URL=redis://:${redactedMark}@store:6379/0`,
            `DATABASE_URL=postgres://app:${redactedMark}@db/app?x=1`,
          ],
        },
      },
      secrets: { db_password: { name: "demo_db_password", file: "/run/x" }, inline: { content: redactedMark } },
      "x-sandbox-deploy": { secrets: { STORE: { value: redactedMark, bytes: 24, file: "store" } } },
      "x-sandbox-deploy-own": { secrets: { OTHER: { value: redactedMark, bytes: 24 } } },
      "x-git": `https://${redactedMark}@github.com/a/b.git and https://github.com/@scope`,
    });
  });

  test("is not changed in place", () => {
    const before = JSON.stringify(model);
    redactModel(model, (text) => text);
    expect(JSON.stringify(model)).toBe(before);
  });
});
