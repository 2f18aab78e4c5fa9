import { expect, test } from "vitest";
import { namedSecrets } from "../../../src/core/secrets/named-secrets.ts";
import { modelOf } from "../../support/granted.ts";

test("the secrets of a stack are known by name, wherever their values are", () => {
  const model = modelOf({
    services: {
      web: { image: "w", environment: { API_TOKEN: "one", LEVEL: "low", EMPTY_PASSWORD: "", DB_PASSWORD: "same" } },
      job: { image: "w", environment: { API_TOKEN: "two", DB_PASSWORD: "same", KEPT_PASSWORD: null } },
    },
    secrets: {
      carried: { file: "/srv/demo/.deploy/secrets/carried" },
      tls: { file: "/srv/demo/tls.key" },
      outside: { environment: "OUTSIDE" },
      inline: { content: "text" },
    },
    "x-sandbox-deploy": { secrets: { MADE: { value: "made", file: "carried" } } },
  });
  const named = [...namedSecrets(model)].map(([name, secret]) => [
    name,
    secret.kind === "value" ? secret.value.reveal() : secret,
  ]);
  expect(Object.fromEntries(named)).toEqual({
    "web.API_TOKEN": "one",
    "job.API_TOKEN": "two",
    DB_PASSWORD: "same",
    tls: { kind: "file", path: "/srv/demo/tls.key" },
    outside: { kind: "variable", name: "OUTSIDE" },
    inline: "text",
    MADE: "made",
  });
});
