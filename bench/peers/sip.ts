/** INVITEs by sipp to a Kamailio that answers each with 603 or 404. */
import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { POOLS } from '../generator/traffic.ts'
import { generatedNumber } from '../lib/generate-numbers.ts'
import { GENERATOR_CORE, pinned } from '../lib/pin.ts'
import { cpuNanoseconds } from '../lib/process-cpu.ts'
import type { Contender } from '../load/contender.ts'

/** As many as sipp can, and never so many that a packet waits for its repetition. */
const RATE = 50_000
const AT_ONCE = 200
const CALLERS = 20_000
const CHECKED = 500
const LIMIT_MS = 120_000

export type SipRound = { readonly perSecond: number; readonly cpuMicroseconds: number }

/** Why there is no sipp here; undefined: there is. */
export function missingSipp(): string | undefined {
  const found = spawnSync('sh', ['-c', 'command -v sipp'])
  return found.status === 0 ? undefined : 'sipp is missing: apt-get install sip-tester'
}

export type SipCalls = { measure(calls: number): Promise<SipRound> }

/** Throws unless listed callers get 603 and others 404. */
export async function openSip(kamailio: Contender, listed: number): Promise<SipCalls> {
  const listedCaller = (index: number) => generatedNumber((index * 7_919) % listed)
  const unknownCaller = (index: number) => generatedNumber(index, POOLS.unknown.first)
  await invite(kamailio.port, callersFile('listed', CHECKED, listedCaller), scenarioFile('603'), CHECKED)
  await invite(kamailio.port, callersFile('unknown', CHECKED, unknownCaller), scenarioFile('404'), CHECKED)
  const mixed = callersFile('mixed', CALLERS, (index) => (index % 200 === 0 ? listedCaller : unknownCaller)(index))
  const scenario = scenarioFile('404', '603')
  return {
    async measure(calls) {
      const before = cpuNanoseconds(kamailio.pids)
      const startMs = performance.now()
      await invite(kamailio.port, mixed, scenario, calls)
      const seconds = (performance.now() - startMs) / 1_000
      return { perSecond: calls / seconds, cpuMicroseconds: (cpuNanoseconds(kamailio.pids) - before) / 1_000 / calls }
    },
  }
}

/** Rejects when a call got another answer than the scenario has, or none. */
async function invite(port: number, callers: string, scenario: string, calls: number): Promise<void> {
  const [command = '', ...before] = [...pinned(GENERATOR_CORE), 'sipp', `127.0.0.1:${port}`]
  const load = ['-m', String(calls), '-r', String(RATE), '-l', String(AT_ONCE), '-timeout', '60', '-timeout_error']
  const args = ['-sf', scenario, '-inf', callers, '-i', '127.0.0.1', '-nostdin', '-nd', ...load]
  await promisify(execFile)(command, [...before, ...args], {
    timeout: LIMIT_MS,
    cwd: os.tmpdir(),
    maxBuffer: 64 * 1024 * 1024,
  })
}

function callersFile(name: string, count: number, caller: (index: number) => string): string {
  const file = path.join(os.tmpdir(), `callers-${name}.csv`)
  const lines = Array.from({ length: count }, (_, index) => {
    return `${caller(index).slice(1)};${generatedNumber(index, POOLS.callees.first).slice(1)};`
  })
  writeFileSync(file, `SEQUENTIAL\n${lines.join('\n')}\n`)
  return file
}

function scenarioFile(...statuses: readonly string[]): string {
  const file = path.join(os.tmpdir(), `invite-${statuses.join('-')}.xml`)
  const receive = statuses.map((status, index) => {
    const isLast = index === statuses.length - 1
    return `  <recv response="${status}"${isLast ? '' : ' optional="true"'} next="1"/>`
  })
  writeFileSync(file, SCENARIO.replace('RECEIVE', receive.join('\n')))
  return file
}

const SCENARIO = `<?xml version="1.0" encoding="UTF-8"?>
<scenario name="invite">
  <send retrans="500"><![CDATA[
    INVITE sip:+[field1]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:[field0]@caller.example>;tag=[pid]z[call_number]
    To: <sip:+[field1]@[remote_ip]:[remote_port]>
    Call-ID: [call_id]
    CSeq: 1 INVITE
    Contact: <sip:sipp@[local_ip]:[local_port]>
    Max-Forwards: 70
    Content-Length: 0

  ]]></send>
RECEIVE
  <label id="1"/>
  <send><![CDATA[
    ACK sip:+[field1]@[remote_ip]:[remote_port] SIP/2.0
    [last_Via:]
    [last_From:]
    [last_To:]
    Call-ID: [call_id]
    CSeq: 1 ACK
    Max-Forwards: 70
    Content-Length: 0

  ]]></send>
</scenario>
`
