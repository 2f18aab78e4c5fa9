import { oneOf, pathProblem } from "./answer-forms.ts";
import type { Answers, Choice, Question } from "./question.ts";

const modeChoices: readonly Choice[] = [
  {
    value: "local",
    follows:
      "inside the gateway's container. Nothing of this machine is handed over, and nothing separates that code from the gateway and its keys; so it stays switched off until you allow it in the platform's configuration.",
  },
  {
    value: "aio",
    follows:
      "in a container of its own for each run, on this machine's Docker. A guard holds the Docker socket; through it the gateway may do nothing but make, watch and remove sandboxes.",
  },
  {
    value: "provisioner",
    follows:
      "in pods of a Kubernetes cluster. The provisioner gets one kubeconfig file, read-only; the gateway gets the provisioner's URL and key, and no Docker socket.",
  },
];

const inProvisioner = ({ mode }: Answers) => mode === "provisioner";

/** Where code runs, and what that mode cannot do without. */
export const modeQuestions: readonly Question[] = [
  {
    id: "mode",
    title: "sandbox mode",
    explanation: "Where does code run that a model has written?",
    value: "mode",
    choices: modeChoices,
    isAsked: () => true,
    standard: (_answers, { mode }) => mode ?? "local",
    problemOf: oneOf(modeChoices),
  },
  {
    id: "provisioner-image",
    title: "the provisioner's image",
    explanation: "Provisioner mode starts your platform's provisioner. Which image is it?",
    value: "image",
    isAsked: (answers, found) => inProvisioner(answers) && !found.ownStack,
    standard: (_answers, { env }) => env.get("PROVISIONER_IMAGE") || undefined,
    problemOf: (value) =>
      /^[A-Za-z0-9][\w./:@-]*$/.test(value)
        ? undefined
        : "has to be the name of an image, such as registry.example.org/provisioner:1",
  },
  {
    id: "kubeconfig",
    title: "kubeconfig file",
    explanation:
      "The provisioner reads this one file. Whatever its account may do in the cluster, the provisioner may: give it one whose rights end at the sandbox namespace.",
    value: "file",
    isAsked: inProvisioner,
    standard: (_answers, { kubeconfig }) => kubeconfig,
    problemOf: pathProblem,
  },
];
