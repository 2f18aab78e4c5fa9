import { domainProblem } from "../public/domain-name.ts";
import { isAddress, isLoopback, isPrivate, oneOf, pathProblem, whole } from "./answer-forms.ts";
import type { Answers, Choice, Question } from "./question.ts";

const exposureChoices: readonly Choice[] = [
  { value: "machine", follows: "only programs on this machine (127.0.0.1). Nobody else on any network." },
  {
    value: "network",
    follows:
      "whoever reaches an address of this machine, without encryption and past most host firewalls: for a private network or a VPN, never for the internet.",
  },
  {
    value: "domain",
    follows: "whoever knows its name, over HTTPS, on ports 80 and 443 and no other. This is the one for the internet.",
  },
];

const tlsChoices: readonly Choice[] = [
  {
    value: "acme",
    follows:
      "Let's Encrypt issues a certificate that every browser trusts. The name has to be in the public DNS, and the internet has to reach port 80 or 443 of this machine.",
  },
  {
    value: "internal",
    follows:
      "an authority of this stack's own signs. Works without the internet, for a name of your own; browsers warn until its root is installed in them.",
  },
  { value: "files", follows: "a certificate and key that you have, as PEM files, and renew yourself." },
];

/** The answer that leaves the e-mail address out. */
export const noEmail = "none";
/** The address that stands for all that a machine has. */
export const everyAddress = "0.0.0.0";
/** No more than the schema of the configuration takes, and less than the standard allows. */
const emailAddress = /^[\w+-]+(?:\.[\w+-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/i;

const byDomain = ({ exposure }: Answers) => exposure === "domain";
const byFiles = ({ exposure, tls }: Answers) => exposure === "domain" && tls === "files";

/** From where the stack is reached, and how. */
export const reachQuestions: readonly Question[] = [
  {
    id: "exposure",
    title: "who may reach it",
    explanation: "From where can the page and the API be reached? Both ask for a key in any case.",
    value: "exposure",
    choices: exposureChoices,
    isAsked: (_answers, { ownStack }) => !ownStack,
    standard: (_answers, { env, reach }) =>
      reach.tls !== "off" ? "domain" : isLoopback(env.get("BIND_HOST")) ? "machine" : "network",
    problemOf: oneOf(exposureChoices),
  },
  {
    id: "domain",
    title: "domain",
    explanation: "The name that people type, such as agents.example.org. It has to lead to this machine.",
    value: "name",
    isAsked: byDomain,
    standard: (_answers, { reach }) => reach.domain,
    problemOf: (value) => {
      const problem = domainProblem(value);
      return problem && `has to be ${problem}`;
    },
  },
  {
    id: "tls",
    title: "certificate from",
    explanation: "Who vouches for the name?",
    value: "kind",
    choices: tlsChoices,
    isAsked: byDomain,
    standard: ({ domain = "" }, { reach }) =>
      reach.tls !== "off" ? reach.tls : domain.includes(".") ? "acme" : "internal",
    problemOf: oneOf(tlsChoices),
  },
  {
    id: "acme-email",
    title: "e-mail for the authority",
    explanation: `Where the authority may write to, should something be wrong with the certificate. ${noEmail} leaves it out; it is needed nowhere.`,
    value: "address",
    isAsked: ({ exposure, tls }) => exposure === "domain" && tls === "acme",
    standard: (_answers, { reach }) => reach.email ?? noEmail,
    problemOf: (value) =>
      value === noEmail || emailAddress.test(value) ? undefined : `has to be an e-mail address, or ${noEmail}`,
  },
  {
    id: "certificate",
    title: "certificate file",
    explanation: "A PEM file: the certificate of the domain first, then those in between, without the root.",
    value: "file",
    isAsked: byFiles,
    standard: (_answers, { reach }) => reach.certificate,
    problemOf: pathProblem,
  },
  {
    id: "certificate-key",
    title: "key file",
    explanation: "A PEM file with its private key, mode 0600. Its path is kept, and never what is in it.",
    value: "file",
    isAsked: byFiles,
    standard: (_answers, { reach }) => reach.certificateKey,
    problemOf: pathProblem,
  },
  {
    id: "address",
    title: "address to listen on",
    explanation: "One address of this machine; 0.0.0.0 stands for every one that it has, public ones included.",
    value: "address",
    isAsked: ({ exposure }) => exposure === "network" || exposure === "domain",
    standard: ({ exposure }, { env, addresses }) => {
      if (exposure === "domain") return env.get("TLS_BIND_HOST")?.replace(/^\[|\]$/g, "") || everyAddress;
      const present = env.get("BIND_HOST");
      const own = addresses.toSorted((left, right) => Number(left.includes(":")) - Number(right.includes(":")));
      return isLoopback(present) ? (own.find(isPrivate) ?? own[0]) : present;
    },
    // Behind a name there may be a tunnel or another proxy that comes from this machine.
    problemOf: (value, { exposure }) =>
      isAddress(value) && (exposure === "domain" || !isLoopback(value))
        ? undefined
        : "has to be an address that others can reach, such as 192.168.1.10, or 0.0.0.0",
  },
  {
    id: "port",
    title: "port",
    explanation: "The page and the API answer on this port.",
    value: "number",
    isAsked: ({ exposure }) => exposure === "machine" || exposure === "network",
    standard: (_answers, { env }) => env.get("PORT"),
    problemOf: whole(1, 65_535),
  },
];
