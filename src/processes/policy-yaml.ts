import { parse, stringify } from 'yaml'
import type { YamlCodec } from '../services/change-policy.ts'

/**
 * Policies as YAML. Pretty errors quote the text and take time that grows with its square; warnings go to standard error
 * and quote it too. Neither may happen to what a client sends.
 */
export const policyYaml: YamlCodec = {
  parse: (text) => parse(text, { prettyErrors: false, logLevel: 'error' }) as unknown,
  stringify: (value) => stringify(value),
}
