import type { ErrorCode } from '../domain/errors.ts'

/**
 * What to do next, said in commands. The hints of the service speak of requests, which whoever sits at a terminal has
 * no use for; where nothing stands here they say it well enough. --json prints what the service said.
 */
const COMMAND_HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  LIST_UNKNOWN: '"zaslon lists ls" names every list; "zaslon lists create NAME --kind deny" makes one.',
  ENTRIES_NEED_PREVIEW:
    '"zaslon lists import NAME FILE --mode append" takes them: the import is held until somebody has looked at it.',
  BODY_TOO_LARGE: 'Send less at once; "zaslon lists import NAME FILE --mode append" takes long lists.',
  VERSION_UNKNOWN: '"zaslon lists versions NAME" names the versions that are kept.',
  IMPORT_UNKNOWN: '"zaslon lists imports" names the imports that are kept.',
  IMPORT_STATE: '"zaslon lists status IMPORT" shows the state of the import and what can follow.',
  IMPORT_TOO_LARGE: 'Split the file and import the parts with --mode append, or raise imports.bytesMax.',
  REVIEW_UNKNOWN: '"zaslon reviews ls" lists them.',
  POLICY_CHANGED:
    'Look at it with "zaslon policy show", make your change to that version, and send it with --if-version.',
  KEY_REQUIRED: 'Set ZASLON_API_KEY, or name a key with --key.',
}

/** Undefined: the hint of the service stands. */
export function commandHint(code: string | undefined): string | undefined {
  return Object.entries(COMMAND_HINTS).find(([known]) => known === code)?.[1]
}
