/** What `zaslon` tells the shell. Documented in `zaslon exit-codes`: a code never changes its meaning. */
export const EXIT = {
  ok: 0,
  /** Something went wrong here or in the service. */
  failed: 1,
  /** The command line is not understood. */
  usage: 2,
  /** The service understood and said no (4xx). */
  refused: 3,
  /** Nobody answered. */
  unreachable: 4,
  /** `check --exit-code`: deliver with a warning label. */
  flag: 10,
  /** `check --exit-code`: block. */
  block: 11,
  /** The import waits for a second person. */
  held: 12,
  /** `lists rm`: not everything named was on the list. */
  absent: 13,
  /** The import is not over after --timeout, and goes on. */
  unfinished: 14,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const EXIT_CODES_TEXT = `Exit codes of zaslon:

  0    done; for \`check --exit-code\`: allow
  1    an error here or inside the service (5xx), a failed import, a failed doctor check, a node that does not follow its
       record after \`record accept\` or \`record restore\`
  2    the command line is not understood
  3    the service refused (4xx): the sentence on standard error says why
  4    the service cannot be reached
  10   \`check --exit-code\`: flag
  11   \`check --exit-code\`: block
  12   the import is held until a second person activates it
  13   \`lists rm\`: something named is not on the list as such; a prefix or range may still cover it
  14   the import is not over after --timeout: it goes on by itself
  130  stopped by Ctrl-C

With --json an error is one JSON problem document (RFC 9457) on standard error.
`
