import { type Command, Option } from 'commander'
import { ATTESTATIONS, type CallEventBody, INGRESS_KINDS, VERSTATS } from '../domain/call-event.ts'

/** Options of `check` and `explain` that describe the call. */
export type CallOptions = {
  readonly trunk?: string
  readonly kind?: string
  readonly callId?: string
  readonly redirecting?: string
  readonly attest?: string
  readonly verstat?: string
  readonly roaming?: string
  readonly originating?: string
  readonly treatment?: string
}

export function addCallOptions(command: Command): Command {
  return command
    .option('--trunk <name>', 'trunk the call came in on')
    .addOption(new Option('--kind <kind>', 'how it came in').choices(INGRESS_KINDS))
    .option('--call-id <id>', 'Call-ID: the same one within 60 s gets the same answer')
    .option('--redirecting <number>', 'number that redirected the call')
    .addOption(new Option('--attest <level>', 'STIR/SHAKEN attestation').choices(ATTESTATIONS.slice(1)))
    .addOption(new Option('--verstat <value>', 'result of verification').choices(VERSTATS.slice(1)))
    .addOption(new Option('--roaming <answer>', 'the owner says: roaming').choices(['confirmed', 'denied', 'unknown']))
    .addOption(
      new Option('--originating <answer>', 'the owner says: it is calling').choices(['confirmed', 'denied', 'unknown']),
    )
    .addOption(new Option('--treatment <choice>', "the callee's choice").choices(['off', 'flag', 'block']))
}

/** The call event these arguments describe (contract shape). `withheld` as caller stands for none. */
export function toCallEvent(caller: string, callee: string | undefined, options: CallOptions): CallEventBody {
  const { trunk, kind, callId, redirecting, attest, verstat, roaming, originating, treatment } = options
  const ingress = { ...(trunk ? { trunk } : {}), ...(kind ? { kind } : {}) }
  const stir = { ...(attest ? { attest } : {}), ...(verstat ? { verstat } : {}) }
  const callerStatus = { ...(originating ? { originating } : {}), ...(roaming ? { roaming } : {}) }
  return {
    caller: caller === 'withheld' ? null : caller,
    ...(callee ? { callee } : {}),
    ...(callId ? { callId } : {}),
    ...(redirecting ? { redirecting } : {}),
    ...(treatment ? { treatment } : {}),
    ...(Object.keys(ingress).length > 0 ? { ingress } : {}),
    ...(Object.keys(stir).length > 0 ? { stir } : {}),
    ...(Object.keys(callerStatus).length > 0 ? { callerStatus } : {}),
  }
}
