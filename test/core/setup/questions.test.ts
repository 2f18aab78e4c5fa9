import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commandTable } from "../../../src/cli.ts";
import { parseConfig } from "../../../src/core/config/config.ts";
import { completeAnswers, type Given, nextQuestion, relevant } from "../../../src/core/setup/answers.ts";
import { answersText, parseAnswers } from "../../../src/core/setup/answers-file.ts";
import { keptText, parseKept } from "../../../src/core/setup/kept-answers.ts";
import { type Answers, flagOf, questionIds, variableOf } from "../../../src/core/setup/question.ts";
import { questions } from "../../../src/core/setup/questions.ts";
import {
  holderOf,
  isSecretAsked,
  secretQuestions,
  tokenDoubt,
  tokenProblem,
} from "../../../src/core/setup/secret-questions.ts";
import { emptyFolder } from "./empty-folder.ts";

const given = (answers: Answers): Given =>
  new Map(
    questionIds.flatMap((id) => {
      const value = answers[id];
      return value === undefined ? [] : [[id, { value, source: flagOf(id) }]];
    }),
  );

/** Answers that fit or nearly fit. */
const answered: fc.Arbitrary<Answers> = fc.record(
  {
    mode: fc.constantFrom("local", "aio", "provisioner", "dood"),
    "provisioner-image": fc.constantFrom("me/provisioner:1", "", "a b"),
    kubeconfig: fc.constantFrom("~/.kube/sandboxes", "/etc/kube config", ""),
    exposure: fc.constantFrom("machine", "network", "domain", "internet"),
    domain: fc.constantFrom("agents.example.org", "localhost", "https://x.org", "Agents.org", "a..b", "10.0.0.1"),
    tls: fc.constantFrom("acme", "internal", "files", "off"),
    "acme-email": fc.constantFrom("ops@example.org", "none", "ops", "a@b", ".a@b.org", "a..b@c.org", "Müll@b.org"),
    certificate: fc.constantFrom("tls/cert.pem", ""),
    "certificate-key": fc.constantFrom("~/key.pem", " key"),
    claude: fc.constantFrom("none", "env", "file", "directory", "all"),
    codex: fc.constantFrom("none", "env"),
    address: fc.constantFrom("192.168.1.10", "0.0.0.0", "fd00::5", "127.0.0.1", "300.1.1.1", "host"),
    port: fc.constantFrom("80", "65535", "0", "65536", "2e3", "080"),
    memory: fc.constantFrom("512m", "2g", "1m", "lots", "-1g"),
    cpus: fc.constantFrom("1", "0.5", "0", "1e3", "0.005"),
    pids: fc.constantFrom("64", "1", "1000000"),
    sandboxes: fc.constantFrom("1", "100", "0"),
  },
  { requiredKeys: [] },
);

describe("the table of questions", () => {
  test("has every question once, in the order of its ids, and a flag of setup for each", () => {
    expect(questions.map(({ id }) => id)).toEqual([...questionIds]);
    const flags = commandTable.find(({ name }) => name === "setup")?.options?.map(({ long }) => long);
    expect(flags).toEqual(expect.arrayContaining(questionIds.map(flagOf)));
  });

  test("names one variable for each question", () => {
    expect(variableOf("provisioner-image")).toBe("DEPLOY_SETUP_PROVISIONER_IMAGE");
    expect(new Set(questionIds.map(variableOf)).size).toBe(questionIds.length);
  });

  test.each(["local", "aio", "provisioner"])("has for %s mode usual answers that it takes itself", (mode) => {
    const known = given({ mode, "provisioner-image": "me/provisioner:1", exposure: "network" });
    const { answers, findings } = completeAnswers(known, emptyFolder, true);
    expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(nextQuestion(answers, emptyFolder)).toBeUndefined();
  });

  test("recommends a certificate of Let's Encrypt for a public name, and one of its own for any other", () => {
    const kindFor = (domain: string) =>
      completeAnswers(given({ exposure: "domain", domain }), emptyFolder, true).answers.tls;
    expect([kindFor("agents.example.org"), kindFor("agents")]).toEqual(["acme", "internal"]);
  });

  test("takes only e-mail addresses that the configuration takes", () => {
    const question = questions.find(({ id }) => id === "acme-email");
    const takes = (email: string) => question?.problemOf(email, {}) === undefined;
    fc.assert(
      fc.property(
        fc.oneof(fc.emailAddress(), fc.string(), fc.constantFrom("none", "a@b", ".a@b.org", "ops@x.org")),
        (email) => {
          const text = JSON.stringify({ version: 1, public: { acme: { email } } });
          if (takes(email) && email !== "none") expect(parseConfig({ file: "", text }).ok).toBe(true);
        },
      ),
    );
    expect(["ops@example.org", "none", "first.last+tag@mail.example.org", "a@b", "ops"].map(takes)).toEqual([
      ...[true, true, true, false, false],
    ]);
  });

  test("recommends a private address before a public one", () => {
    const { answers } = completeAnswers(given({ exposure: "network" }), emptyFolder, true);
    expect(answers.address).toBe("192.168.1.10");
  });

  test("asks nothing about ports and containers of a stack of the operator's own", () => {
    const own = { ...emptyFolder, ownStack: true, guard: undefined };
    expect(completeAnswers(new Map(), own, true).answers).toEqual({ mode: "local", claude: "none", codex: "none" });
  });
});

describe("answers that were given", () => {
  test("are complete, or each missing one is named with its flag, its variable and what --yes takes", () => {
    const { findings } = completeAnswers(given({ mode: "local", exposure: "machine" }), emptyFolder, false);
    expect(findings.map(({ code, fix }) => `${code} ${fix}`)).toEqual([
      "D180 --port <number>, DEPLOY_SETUP_PORT, or port: in a file for --answers; --yes takes 2026",
      "D180 --claude none|env|file|directory, DEPLOY_SETUP_CLAUDE, or claude: in a file for --answers; --yes takes none",
      "D180 --codex none|env|file|directory, DEPLOY_SETUP_CODEX, or codex: in a file for --answers; --yes takes none",
      "D180 --memory <size>, DEPLOY_SETUP_MEMORY, or memory: in a file for --answers; --yes takes 1g",
      "D180 --cpus <number>, DEPLOY_SETUP_CPUS, or cpus: in a file for --answers; --yes takes 1",
    ]);
  });

  test("are asked for also with --yes where nobody can know them", () => {
    const { findings } = completeAnswers(given({ mode: "provisioner" }), emptyFolder, true);
    expect(findings.map(({ fix }) => fix)).toEqual([
      "--provisioner-image <image>, DEPLOY_SETUP_PROVISIONER_IMAGE, or provisioner-image: in a file for --answers",
    ]);
  });

  test("that others of them rule out are told, and are no answers", () => {
    const { answers, findings } = completeAnswers(given({ mode: "local", pids: "9" }), emptyFolder, true);
    expect(answers).not.toHaveProperty("pids");
    expect(findings).toMatchObject([{ code: "D181", severity: "warning", message: /--pids has no effect/ }]);
  });

  test("are taken only where every question takes them, and mean the same from a file and after a break", () => {
    fc.assert(
      fc.property(answered, (written) => {
        const { answers, findings } = completeAnswers(given(written), emptyFolder, true);
        const wrong = findings.some(({ severity }) => severity === "error");
        const problems = questions.flatMap(({ id, problemOf }) => {
          const value = answers[id];
          return value === undefined ? [] : (problemOf(value, answers) ?? []);
        });
        if (!wrong) expect(problems).toEqual([]);
        if (wrong) return;
        const file = parseAnswers({ file: "answers.yaml", text: answersText(answers) });
        if (!file.ok) throw new Error("a file of answers cannot be read back");
        expect(completeAnswers(file.value, emptyFolder, false)).toEqual({ answers, findings: [] });
        expect(relevant(parseKept(keptText(answers, "2026-01-01")), emptyFolder)).toEqual(answers);
      }),
    );
  });
});

describe("a file of answers", () => {
  test.each<[what: string, text: string, expected: string[]]>([
    ["an unknown question", "moed: aio\n", ['D182 1:1 there is no question "moed"; did you mean mode?']],
    [
      "a list as an answer",
      "mode: aio\nport: [1]\n",
      ["D182 2:1 port has no answer, or not one value; write one value, or no line port"],
    ],
    [
      "a secret",
      "claude-token: sk-ant\n",
      [
        "D182 1:1 claude-token is a secret, and a file of answers holds none; take the line out and give the token by --claude-token-file <file> or DEPLOY_SETUP_CLAUDE_TOKEN",
      ],
    ],
    ["no answer", "mode:\n", ["D182 1:1 mode has no answer, or not one value; write one value, or no line mode"]],
    [
      "no mapping",
      "- aio\n",
      [
        "D182 1:1 a file of answers is a list of lines such as `mode: aio`; ./deploy setup --print-answers writes such a file",
      ],
    ],
    ["no YAML", "mode: [\n", [expect.stringMatching(/^D182 \d:\d this is not valid YAML: /)]],
  ])("with %s is refused with its place", (_what, text, expected) => {
    const parsed = parseAnswers({ file: "a.yaml", text });
    expect(parsed.ok).toBe(false);
    expect(
      parsed.findings.map(({ code, at, message, fix }) => `${code} ${at?.line}:${at?.column} ${message}; ${fix}`),
    ).toEqual(expected);
  });

  test("shows none of its lines: one may hold what belongs elsewhere", () => {
    const parsed = parseAnswers({ file: "a.yaml", text: "token: sk-secret\n" });
    expect(JSON.stringify(parsed)).not.toContain("sk-secret");
  });

  test("is read as it is written, whatever YAML makes of it", () => {
    const parsed = parseAnswers({ file: "a.yaml", text: "cpus: 0.50\nport: 2026 # mine\nkubeconfig: 'a b'\n" });
    if (!parsed.ok) throw new Error("it cannot be read");
    expect([...parsed.value].map(([id, { value }]) => `${id} ${value}`)).toEqual([
      "cpus 0.50",
      "port 2026",
      "kubeconfig a b",
    ]);
  });

  test("may be empty", () => {
    expect(parseAnswers({ file: "a.yaml", text: "# nothing\n" })).toEqual({ ok: true, value: new Map(), findings: [] });
  });
});

describe("a token", () => {
  const [claude, codex] = secretQuestions;

  test.each([
    [claude, "sk-ant-oat01-0123456789abcdef", "CLAUDE_CODE_OAUTH_TOKEN", undefined],
    [claude, "sk-ant-api03-0123456789abcdef", "ANTHROPIC_API_KEY", undefined],
    [claude, "0123456789abcdef.x", "ANTHROPIC_AUTH_TOKEN", "this does not begin as a token of Anthropic does"],
    [codex, "sk-0123456789abcdef", "OPENAI_API_KEY", undefined],
    [codex, "sk-ant-0123456789abcdef", "OPENAI_API_KEY", "this does not begin as an API key of OpenAI does"],
  ])("goes to the variable that its shape tells", (question, token, variable, doubt) => {
    if (question === undefined) throw new Error("there is no such question");
    expect([holderOf(question, token), tokenProblem(token), tokenDoubt(question, token)]).toEqual([
      variable,
      undefined,
      doubt,
    ]);
  });

  test.each([
    "",
    "short",
    "sk-ant-0123 456789abcdef",
    "sk-ant-0123\n456789abcdef",
    "****************",
    "sk-ant-…0123456789",
  ])("is not %j", (text) => expect(tokenProblem(text)).toBeDefined());

  test("is asked for only where it is passed on and nobody has given one yet", () => {
    if (claude === undefined) throw new Error("there is no such question");
    const present = { ...emptyFolder, present: new Set(["ANTHROPIC_API_KEY"]) };
    expect(isSecretAsked(claude, { claude: "env" }, emptyFolder)).toBe(true);
    expect(isSecretAsked(claude, { claude: "env" }, present)).toBe(false);
    expect(isSecretAsked(claude, { claude: "file" }, emptyFolder)).toBe(false);
  });
});

describe("kept answers", () => {
  test.each(["", "{", "[]", '{"answers": 1}', '{"answers": {"mode": "dood", "port": 5, "other": "x"}}'])(
    "that are damaged (%j) are asked again",
    (text) => expect(parseKept(text)).toEqual({}),
  );
});
