import { Option } from "commander";
import { flagOf, type Question } from "./core/setup/question.ts";
import { questions } from "./core/setup/questions.ts";
import { type SecretQuestion, secretFlagOf, secretQuestions } from "./core/setup/secret-questions.ts";

/** The flags of `setup`: one for each question, and how all answers come in and out at once. */
export function setupOptions(): Option[] {
  return [
    ...questions.map(answerOption),
    ...secretQuestions.map(secretOption),
    new Option("--answers <file>", "take answers from this file; a flag or a variable counts more"),
    new Option("--print-answers", "print such a file, made to fit this folder, and write nothing"),
  ];
}

/** The flag of one question of `setup`. */
function answerOption({ id, title, value, choices }: Question): Option {
  const option = new Option(`${flagOf(id)} <${value}>`, title);
  return choices ? option.choices(choices.map((choice) => choice.value)) : option;
}

/** A secret comes by the name of a file, for a command line is there for everybody to read. */
function secretOption({ id, title }: SecretQuestion): Option {
  return new Option(`${secretFlagOf(id)} <file>`, `${title}, in this file; - is standard input`);
}
