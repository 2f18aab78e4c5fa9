import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../src/core/config/config.ts";
import { parseEnvFile } from "../../../src/core/env/env-file.ts";
import { publicFindings } from "../../../src/core/public/public-findings.ts";
import { derivedValues, publicMapping, publicPresets } from "../../../src/core/public/variables.ts";
import { modelOf } from "../../support/granted.ts";
import { configOf } from "../plan/plan-facts.ts";

const https = "https://agents.example.org";

describe("what follows from the public URL", () => {
  test.each<[form: string, url: string, expected: string]>([
    ["url", https, https],
    ["url/", https, `${https}/`],
    ["url/api/auth/callback", https, `${https}/api/auth/callback`],
    ["scheme", https, "https"],
    ["host", https, "agents.example.org"],
    ["secure", https, "true"],
    ["origins", https, https],
    ["origins-json", https, `["${https}"]`],
    ["secure", "http://127.0.0.1:2026", "false"],
    ["host", "http://[2001:db8::7]:2026", "[2001:db8::7]"],
    ["origins", "http://127.0.0.1:2026", "http://127.0.0.1:2026,http://localhost:2026"],
    ["origins-json", "http://127.0.0.1", '["http://127.0.0.1","http://localhost"]'],
    ["origins", "http://192.0.2.7:8080", "http://192.0.2.7:8080"],
  ])("as %s of %s", (form, url, expected) => {
    expect(derivedValues({ NAME: form }, url, [])).toEqual({ NAME: expected });
  });

  test("other origins stand behind its own, each once", () => {
    const values = derivedValues({ A: "origins", B: "origins-json" }, https, ["https://app.example.org", https]);
    expect(values).toEqual({ A: `${https},https://app.example.org`, B: `["${https}","https://app.example.org"]` });
  });

  test("a platform's names are known, and the configuration's own win", () => {
    expect(publicMapping(configOf())).toEqual({});
    const values = (preset: string, variables = {}) =>
      derivedValues(publicMapping(configOf({ public: { preset, variables } })), https, []);
    expect(values("deer-flow")).toEqual({ GATEWAY_CORS_ORIGINS: https, DEER_FLOW_TRUSTED_ORIGINS: https });
    expect(values("deepeye", { AUTH_FRONTEND_BASE_URL: "url/login" })).toEqual({
      AUTH_COOKIE_SECURE: "true",
      BACKEND_CORS_ORIGINS: `["${https}"]`,
      AUTH_FRONTEND_BASE_URL: `${https}/login`,
    });
  });

  test.each(publicPresets)("no value of %s is * or localhost where people come by https", (preset) => {
    const values = derivedValues(publicMapping(configOf({ public: { preset } })), https, []);
    expect(Object.values(values).filter((value) => /\*|localhost|127\.0|http:|\/,|undefined/.test(value))).toEqual([]);
  });
});

test.each([
  ["variables: { A: link }", "public.variables.A must be url, scheme, host"],
  ["variables: { A: 'url/x y' }", "public.variables.A must be url, scheme, host"],
  ["variables: { 'A-B': url }", "public.variables"],
  ["origins: ['*']", "public.origins[0] must be an origin such as"],
  ["origins: ['https://a.example/']", "public.origins[0] must be an origin such as"],
  ["preset: deerflow", "public.preset must be one of"],
])("the configuration refuses %s", (line, expected) => {
  const { findings } = parseConfig({ file: "c.yaml", text: `version: 1\npublic:\n  ${line}\n` });
  expect(findings.map(({ message }) => message)).toEqual([expect.stringContaining(expected)]);
});

describe("contradictions", () => {
  const situation = (parts: {
    url?: string;
    values?: Record<string, string>;
    env?: string;
    services?: Record<string, Record<string, string>>;
    origins?: string[];
  }) => {
    const parsed = parseEnvFile({ file: ".env", text: parts.env ?? "" }, new Map());
    if (!parsed.ok) throw new Error("no environment");
    const services = Object.entries(parts.services ?? {}).map(([name, environment]) => [
      name,
      { image: "a", environment },
    ]);
    return publicFindings({
      published: { url: parts.url ?? https, values: parts.values ?? {} },
      model: modelOf({ services: Object.fromEntries(services) }),
      stack: { excluded: ["old"] },
      ...{ file: ".env", envFile: parsed.value },
      origins: (parts.origins ?? []).map((origin, index) => ({ origin, at: { file: "c", line: index + 1 } })),
    }).map(({ severity, message, at }) => `${at?.line ?? "-"} ${severity} ${message}`);
  };
  const values = { AUTH_COOKIE_SECURE: "true" };

  test("a line of the environment file that says something else counts for nothing, and is named", () => {
    expect(situation({ values, env: "A=1\nAUTH_COOKIE_SECURE=false\n" })).toEqual([
      `2 warning AUTH_COOKIE_SECURE says something else than the public URL ${https}; services get true`,
    ]);
    expect(situation({ values, env: "AUTH_COOKIE_SECURE=true\n" })).toEqual([]);
    expect(situation({ values, env: "AUTH_COOKIE_SECURE=\n" })).toEqual([]);
  });

  test("a service that would get another value all the same stops the deployment", () => {
    const services = { web: { AUTH_COOKIE_SECURE: "false" }, api: values, old: { AUTH_COOKIE_SECURE: "false" } };
    expect(situation({ values, services })).toEqual([
      `- error web would get another AUTH_COOKIE_SECURE than the public URL ${https} makes it, which is true`,
    ]);
  });

  test("what nobody mapped is a warning where people come by https, and none on loopback", () => {
    const services = {
      web: { AUTH_COOKIE_SECURE: "false", CORS_ORIGINS: "*" },
      api: { BACKEND_CORS_ORIGINS: '["http://localhost:5173"]' },
      right: { AUTH_COOKIE_SECURE: "true", CORS_ORIGINS: "https://a.example" },
    };
    expect(situation({ services }).map((line) => line.replace(/ that does not fit.*/, ""))).toEqual([
      "- warning web gets a value of AUTH_COOKIE_SECURE",
      "- warning api gets a value of BACKEND_CORS_ORIGINS",
      "- warning web gets a value of CORS_ORIGINS",
    ]);
    expect(situation({ services, url: "http://127.0.0.1:2026" })).toEqual([]);
  });

  test("an origin that anybody on the way can speak for is a warning where people come by https", () => {
    const origins = [
      "https://app.example",
      "http://app.example",
      "https://localhost:5173",
      "https://localhost.example",
    ];
    expect(situation({ origins })).toEqual([
      `2 warning public.origins lets pages of http://app.example call a platform that is at ${https}`,
      `3 warning public.origins lets pages of https://localhost:5173 call a platform that is at ${https}`,
    ]);
    expect(situation({ origins, url: "http://127.0.0.1:2026" })).toEqual([]);
  });
});
