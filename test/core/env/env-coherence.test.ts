import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coherenceFindings } from "../../../src/core/env/env-coherence.ts";
import { parseEnvFile } from "../../../src/core/env/env-file.ts";
import type { EnvSituation } from "../../../src/core/env/env-situation.ts";
import { weaknessFindings } from "../../../src/core/env/env-weakness.ts";
import { formatFinding } from "../../../src/core/findings/finding.ts";
import { parseModel } from "../../../src/core/stack/model.ts";

const strong = "kQ8vTz3mWn5xYb7cRd2fPq6sLh4jKg9e";

interface Given {
  readonly env?: string;
  readonly exported?: Readonly<Record<string, string>>;
  readonly compose?: string;
  /** The merged environment of the services. */
  readonly services?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Values of generated secrets. */
  readonly generated?: Readonly<Record<string, string>>;
  readonly serviceFile?: { readonly service: string; readonly text: string; readonly isEnvFile?: boolean };
  readonly examples?: Readonly<Record<string, string>>;
}

function situation(given: Given): EnvSituation {
  const { env = "", exported = {}, compose = "", services = {}, generated = {}, serviceFile, examples = {} } = given;
  const read = (file: string, text: string) => {
    const parsed = parseEnvFile({ file, text }, new Map(Object.entries(exported)));
    if (!parsed.ok) throw new Error("the text is refused");
    return parsed.value;
  };
  const model = parseModel({
    name: "x",
    services: Object.fromEntries(Object.entries(services).map(([name, environment]) => [name, { environment }])),
    "x-sandbox-deploy": {
      secrets: Object.fromEntries(Object.entries(generated).map(([name, value]) => [name, { value }])),
    },
  });
  if (!model.ok) throw new Error("the model is refused");
  return {
    file: ".env",
    envFile: read(".env", env),
    exported: new Map(Object.entries(exported)),
    model: model.value,
    composeFiles: [{ file: "compose.yaml", text: compose }],
    serviceFiles: serviceFile
      ? [{ file: "own.env", isEnvFile: false, ...serviceFile, envFile: read("own.env", serviceFile.text) }]
      : [],
    examples: new Map(Object.entries(examples).map(([name, value]) => [name, { file: ".env.example", value }])),
  };
}

function said(given: Given): string[] {
  const here = situation(given);
  return [...coherenceFindings(here), ...weaknessFindings(here)].map(({ code, severity, at }) =>
    [severity, code, ...[at?.file, at?.line, at?.column].filter((part) => part !== undefined)].join(" "),
  );
}

const uses = "environment: { A: $API_KEY, B: $STORE_PASSWORD, C: $PORT }";

describe("one variable with two values", () => {
  const table: [string, Given, string[]][] = [
    [
      "in the shell and the file is a warning",
      { env: `\nAPI_KEY=${strong}\n`, exported: { API_KEY: `${strong}2` }, compose: uses },
      ["warning D100 .env 2 1"],
    ],
    ["that are the same is none", { env: `API_KEY=${strong}\n`, exported: { API_KEY: strong }, compose: uses }, []],
    ["that Compose does not read is none", { env: "EDITOR=vi\n", exported: { EDITOR: "nano" }, compose: uses }, []],
    [
      "of which a service gets the file's and Compose the shell's is an error for a secret",
      {
        env: `API_KEY=${strong}\n`,
        exported: { API_KEY: `${strong}2` },
        compose: uses,
        services: { web: { API_KEY: strong } },
        serviceFile: { service: "web", text: `API_KEY=${strong}\n`, isEnvFile: true },
      },
      ["error D100 .env 1 1"],
    ],
    [
      "and a warning for anything else",
      {
        env: "PORT=1\n",
        exported: { PORT: "2" },
        compose: uses,
        services: { web: { PORT: "1" } },
        serviceFile: { service: "web", text: "PORT=1\n", isEnvFile: true },
      },
      ["warning D100 .env 1 1"],
    ],
    [
      "in a service's own file and the stack's is a warning at the service's",
      {
        env: `API_KEY=${strong}\n`,
        compose: uses,
        services: { web: { API_KEY: `${strong}2` } },
        serviceFile: { service: "web", text: `# mine\nAPI_KEY=${strong}2\n` },
      },
      ["warning D100 own.env 2 1"],
    ],
    [
      "is none where the service's environment: overrides its file",
      {
        env: `API_KEY=${strong}\n`,
        compose: uses,
        services: { web: { API_KEY: strong } },
        serviceFile: { service: "web", text: `API_KEY=${strong}2\n` },
      },
      [],
    ],
  ];
  test.each(table)("%s", (_name, given, expected) => expect(said(given)).toEqual(expected));
});

describe("a line of the environment file", () => {
  const table: [string, Given, string[]][] = [
    ["that is repeated with another value", { env: "PORT=1\nPORT=2\n", compose: uses }, ["warning D101 .env 1 1"]],
    ["that is repeated with the same value is fine", { env: "PORT=1\nPORT=1\n", compose: uses }, []],
    [
      "whose secret loses a part to a variable that is not set is an error",
      { env: `API_KEY=${strong}$nothing\n`, compose: uses },
      ["error D034 .env 1 1"],
    ],
    [
      "whose secret has a variable in it that is set",
      { env: `PORT=1\nAPI_KEY="${strong}$PORT"\n`, compose: uses },
      ["warning D102 .env 2 1"],
    ],
    ["that refers to another on purpose is fine", { env: `A=${strong}\nAPI_KEY=\${A}\n`, compose: `${uses} $A` }, []],
    ["whose dollar is quoted is fine", { env: `PORT=1\nAPI_KEY='${strong}$PORT'\n`, compose: uses }, []],
    ["whose dollar is doubled is fine", { env: `PORT=1\nAPI_KEY=${strong}$$PORT\n`, compose: uses }, []],
    ["whose dollar is escaped is fine", { env: `PORT=1\nAPI_KEY="${strong}\\$PORT"\n`, compose: uses }, []],
    ["with a secret that nobody reads", { env: `APIKEY=${strong}\n`, compose: uses }, ["warning D109 .env 1 1"]],
    ["with a setting that nobody reads is fine", { env: "COLOR=red\n", compose: uses }, []],
    ["that is read by another line is fine", { env: `P_TOKEN=${strong}\nPORT=\${P_TOKEN}\n`, compose: uses }, []],
    ["of a stack that takes in other files is fine", { env: `X_TOKEN=${strong}\n`, compose: "include: [a.yaml]" }, []],
  ];
  test.each(table)("%s", (_name, given, expected) => expect(said(given)).toEqual(expected));

  test("names the secret that was probably meant", () => {
    const [finding] = coherenceFindings(situation({ env: `APIKEY=${strong}\n`, compose: uses }));
    expect(finding?.fix).toBe("did you mean API_KEY? Else remove the line");
  });
});

describe("a secret", () => {
  const generated = (value: string) => ({ env: `API_KEY=${value}\n`, compose: uses, generated: { API_KEY: value } });
  const foreign = (value: string) => ({ env: `API_KEY=${value}\n`, compose: uses });
  const table: [string, Given, string[]][] = [
    ["as it is generated is fine", generated(strong), []],
    ["to generate with a placeholder is refused", generated("<your-key-here>"), ["error D103 .env 1 1"]],
    ["to generate with a known default is refused", generated("changeme"), ["error D103 .env 1 1"]],
    ["to generate that is short is a warning", generated("Tx9-q"), ["warning D104 .env 1 1"]],
    ["to generate that is regular is a warning", generated("abababababababababab"), ["warning D104 .env 1 1"]],
    ["of somebody else with a placeholder is a warning", foreign("your-api-key"), ["warning D103 .env 1 1"]],
    ["of somebody else that is short is its own affair", foreign("column"), []],
    [
      "that is called a password and short is a warning",
      { env: "STORE_PASSWORD=Tx9-q\n", compose: uses },
      ["warning D104 .env 1 1"],
    ],
    [
      "with the example's value is refused",
      { ...generated(strong), examples: { API_KEY: strong } },
      ["error D103 .env 1 1"],
    ],
    [
      "with the value of a Compose file's default is refused",
      { ...generated(strong), compose: `A: \${API_KEY:-${strong}}` },
      ["error D103 .env 1 1"],
    ],
    [
      "without a value, for which a Compose file has one, is told at that place",
      { compose: `a:\n  b: \${DB_PASSWORD:-${strong}}`, services: { web: { DB_PASSWORD: strong } } },
      ["warning D103 compose.yaml 2 6"],
    ],
    [
      "in two roles is a warning",
      { env: `API_KEY=${strong}\nSTORE_PASSWORD=${strong}\n`, compose: uses },
      ["warning D105 .env 2 1"],
    ],
    [
      "under two names by reference is one secret",
      { env: `API_KEY=${strong}\nSTORE_PASSWORD=\${API_KEY}\n`, compose: uses },
      [],
    ],
  ];
  test.each(table)("%s", (_name, given, expected) => expect(said(given)).toEqual(expected));

  test("shows in no finding, whatever it is", () => {
    const value = fc.stringMatching(/^[A-Za-z0-9+/=_-]{6,24}$/);
    fc.assert(
      fc.property(value, value, value, (first, second, third) => {
        const here = situation({
          env: `API_KEY=${first}\nAPI_KEY=${second}$PORT\nSTORE_PASSWORD=${first}\nSOME_SECRET=${second}\nPORT=1\n`,
          exported: { STORE_PASSWORD: third },
          compose: `${uses}\nX: \${OTHER_PASSWORD:-${third}}`,
          services: { web: { OTHER_PASSWORD: third } },
          generated: { API_KEY: second },
          examples: { STORE_PASSWORD: third },
        });
        const shown = [...coherenceFindings(here), ...weaknessFindings(here)].map(formatFinding).join("\n");
        for (const secret of [first, second, third]) expect(shown).not.toContain(secret);
      }),
    );
  });
});
