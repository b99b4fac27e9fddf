import { readFile } from 'node:fs/promises'
import { parse as parseYaml } from 'yaml'
import { parsePolicy } from '../domain/parse-policy.ts'
import type { PolicyDocument } from '../domain/policy.ts'
import { CliFailure } from './cli-failure.ts'
import { EXIT } from './exit-codes.ts'

/** Reads and checks a policy file. Throws POLICY_INVALID with every mistake, or a failure that names the file. */
export async function readPolicyFile(file: string): Promise<{ text: string; document: PolicyDocument }> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new CliFailure(EXIT.failed, `The file ${file} cannot be read.`, { code: 'FILE_UNREADABLE' }, { cause })
  }
  let value: unknown
  try {
    value = parseYaml(text)
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : ''
    throw new CliFailure(EXIT.failed, `${file} is not YAML: ${why}`, { code: 'POLICY_INVALID' }, { cause })
  }
  return { text, document: parsePolicy(value) }
}
