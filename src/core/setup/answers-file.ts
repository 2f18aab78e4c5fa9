import { isMap, isScalar, parseDocument, stringify } from "yaml";
import { placeAt } from "../detect/platform-config.ts";
import { type Finding, failure, type Outcome, success } from "../findings/finding.ts";
import type { Source } from "../findings/source.ts";
import { suggest } from "../findings/suggest.ts";
import { wrapText } from "../text/wrapped-text.ts";
import type { Given, GivenAnswer } from "./answers.ts";
import { type Answers, type QuestionId, questionIds } from "./question.ts";
import { questions } from "./questions.ts";
import { secretFlagOf, secretIds, secretVariableOf } from "./secret-questions.ts";

/** Reads a file of answers: a mapping from questions to answers. Everything that is wrong with it is D182, with its place. */
export function parseAnswers(source: Source): Outcome<Given> {
  const document = parseDocument(source.text, { prettyErrors: false });
  const [broken] = document.errors;
  if (broken) return failure(answersFinding(source, broken.pos[0], `this is not valid YAML: ${broken.message}`));
  if (document.contents === null) return success(new Map());
  if (!isMap(document.contents))
    return failure(answersFinding(source, 0, "a file of answers is a list of lines such as `mode: aio`"));
  const entries = document.contents.items.map((item) => readEntry(source, item));
  const findings = entries.flatMap((entry) => ("code" in entry ? [entry] : []));
  if (findings.length > 0) return failure(...findings);
  return success(new Map(entries.flatMap((entry) => ("id" in entry ? [[entry.id, entry.answer] as const] : []))));
}

interface Entry {
  readonly id: QuestionId;
  readonly answer: GivenAnswer;
}

function readEntry(
  source: Source,
  { key, value }: { readonly key: unknown; readonly value: unknown },
): Entry | Finding {
  const name = isScalar(key) ? String(key.value) : "";
  const keyAt = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
  const id = questionIds.find((each) => each === name);
  const secret = secretIds.find((each) => each === name);
  if (secret !== undefined) {
    const ways = `take the line out and give the token by ${secretFlagOf(secret)} <file> or ${secretVariableOf(secret)}`;
    return answersFinding(source, keyAt, `${secret} is a secret, and a file of answers holds none`, ways);
  }
  if (id === undefined) {
    const near = suggest(name, questionIds);
    return answersFinding(
      source,
      keyAt,
      `there is no question ${JSON.stringify(name)}`,
      near ? `did you mean ${near}?` : `the questions are ${questionIds.join(", ")}`,
    );
  }
  const node = isScalar(value) ? value : undefined;
  const written = node?.source ?? "";
  if (node === undefined || node.value === null)
    return answersFinding(source, keyAt, `${id} has no answer, or not one value`, `write one value, or no line ${id}`);
  // As it is written: 0.50 and 010 are texts here, and no YAML is guessed into them.
  const text = typeof node.value === "string" ? node.value : written;
  return { id, answer: { value: text, source: id, at: placeAt(source, node.range?.[0] ?? keyAt) } };
}

function answersFinding(
  source: Source,
  offset: number,
  message: string,
  fix = "./deploy setup --print-answers writes such a file",
): Finding {
  return { code: "D182", severity: "error", message, fix, at: placeAt(source, offset) };
}

const heading = [
  "# Answers for ./deploy setup --answers FILE, made to fit this folder. What a flag or a variable says counts more.",
];

/** A file of answers with what each question means; a question without an answer stays as a comment. */
export function answersText(answers: Answers): string {
  const lines = questions.flatMap(({ id, explanation, choices, value }) => {
    const answer = answers[id];
    const allowed = choices ? ` One of: ${choices.map((choice) => choice.value).join(", ")}.` : "";
    return [
      ...wrapText(explanation + allowed, "# ", "# ", 110),
      answer === undefined
        ? `# ${id}: <${value}>`
        : `${id}: ${/^\d+(?:\.\d+)?$/.test(answer) ? answer : stringify(answer, { lineWidth: 0 }).trimEnd()}`,
    ];
  });
  return [...heading, ...lines].join("\n");
}
