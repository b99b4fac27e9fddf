import { ScreeningError } from '../domain/errors.ts'
import type { PolicyDocument, PolicyVersion } from '../domain/policy.ts'
import type { Actor, RecordStore } from '../stores/ports.ts'

/**
 * YAML both ways, handed in so that the use case depends on no library. `parse` throws on text that is not YAML, with the
 * place as `pos: [offset, …]`, and prints nothing: what it would say holds the text.
 */
export type YamlCodec = { parse(text: string): unknown; stringify(value: unknown): string }

export type PolicyDesk = {
  /** Reads a candidate: YAML text or a JSON value. Throws POLICY_INVALID with every mistake at once. */
  read(candidate: string | Readonly<Record<string, unknown>>): { text: string; document: PolicyDocument }
  /** Stores a new version, in force on every verdict process when it resolves. Rejects with POLICY_INVALID, POLICY_CHANGED. */
  put(
    candidate: string | Readonly<Record<string, unknown>>,
    options: { expectedVersion?: number },
    actor: Actor,
  ): Promise<PolicyVersion>
}

export type PolicyDeskDependencies = {
  readonly store: Pick<RecordStore, 'putPolicy'>
  readonly yaml: YamlCodec
  readonly parsePolicy: (value: unknown) => PolicyDocument
  readonly notify: (sequence: number) => Promise<void>
}

/**
 * The default policy with its comments has 5 KB; a policy is rules and thresholds, not a list. The YAML reader takes a time that
 * grows with the square of some texts: 64 KiB of commas held up the control process for 4 s, 16 KiB do for 0.2 s.
 */
export const POLICY_CHARS_MAX = 16_384

export function createPolicyDesk(deps: PolicyDeskDependencies): PolicyDesk {
  function read(candidate: string | Readonly<Record<string, unknown>>): { text: string; document: PolicyDocument } {
    const text = typeof candidate === 'string' ? candidate : deps.yaml.stringify(candidate)
    if (text.length > POLICY_CHARS_MAX) {
      throw new ScreeningError('POLICY_INVALID', `The policy has more than ${POLICY_CHARS_MAX} characters.`, {
        hint: 'Numbers belong on lists, not in the policy.',
      })
    }
    return { text, document: deps.parsePolicy(typeof candidate === 'string' ? parseYaml(text, deps.yaml) : candidate) }
  }

  return {
    read,
    async put(candidate, options, actor) {
      const { policy, sequence } = await deps.store.putPolicy(read(candidate), options, actor)
      await deps.notify(sequence)
      return policy
    },
  }
}

function parseYaml(text: string, yaml: YamlCodec): unknown {
  try {
    return yaml.parse(text)
  } catch (cause) {
    const line = lineOf(cause, text)
    const detail = `The text is not valid YAML${line === undefined ? '' : ` (line ${line})`}.`
    throw new ScreeningError('POLICY_INVALID', detail, { errors: [{ pointer: '', detail }] }, { cause })
  }
}

/** Counted from 1. */
function lineOf(error: unknown, text: string): number | undefined {
  if (typeof error !== 'object' || error === null || !('pos' in error) || !Array.isArray(error.pos)) return undefined
  const at: unknown = error.pos[0]
  return typeof at === 'number' ? text.slice(0, at).split('\n').length : undefined
}
