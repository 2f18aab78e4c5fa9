import { InvalidArgumentError, Option } from "commander";
import { projectNamePattern, projectNameRule } from "./core/config/project-name.ts";

/** Flags that every command takes. */
export const globalOptions = (): Option[] => [
  new Option("--json", "print one JSON document on stdout"),
  new Option("-y, --yes", "answer yes to questions; never to host-level privileges"),
  new Option("--no-color", "no colour"),
  new Option("--config <file>", "the configuration (default: deploy.config.yaml)"),
  new Option("--env-file <file>", "the environment file (default: compose.envFile of the configuration)"),
  new Option("--project <name>", "the Compose project name").argParser(projectName),
  new Option("--verbose", "show what the child processes say"),
  new Option("--ci", "for a pipeline: no question, lines that its log folds; by itself where CI is set"),
  new Option("--summary-file <file>", "write a page of Markdown about plan, privileges and result"),
  new Option("--junit-file <file>", "write the same as JUnit's XML"),
  new Option("--json-file <file>", "write the same as JSON"),
];

function projectName(text: string): string {
  if (!projectNamePattern.test(text)) throw new InvalidArgumentError(`It must be ${projectNameRule}.`);
  return text;
}
