import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { freePort } from '../../test/support/run-service.ts'
import { generatedNumber } from '../lib/generate-numbers.ts'
import { descendants } from '../lib/own-processes.ts'
import { waitUntil } from '../lib/wait-until.ts'
import { type Contender, startContender } from '../load/contender.ts'

/** A million numbers take about 5 s of a core. */
const FILL_MS = 300_000
const SHARED_MIB = 2_048

/** Why there is no Kamailio to compare with here; undefined: there is. */
export function missingKamailio(): string | undefined {
  const found = spawnSync('sh', ['-c', 'command -v kamailio && ls /usr/lib/*/kamailio/modules/xhttp.so'])
  return found.status === 0 ? undefined : 'Kamailio is missing: apt-get install kamailio'
}

/**
 * Kamailio with one worker, the listed numbers in an htable of as many buckets: GET over xhttp, and INVITE on the same port over
 * UDP, answered with 603 or 404. Its processes all count: the worker, and the one that accepts connections.
 */
export async function startKamailio(listed: number): Promise<Contender> {
  const directory = path.join(os.tmpdir(), 'kamailio')
  mkdirSync(directory)
  const file = path.join(directory, 'kamailio.cfg')
  const port = await freePort()
  writeFileSync(file, configuration(port, listed))
  const run = ['-Y', directory, '-w', directory, '-P', path.join(directory, 'pid')]
  const memory = ['-m', String(SHARED_MIB), '-M', '16']
  const kamailio = await startContender('Kamailio', port, ['kamailio', '-DD', '-E', '-f', file, ...run, ...memory])
  // It listens before it has its table.
  const last = generatedNumber(listed - 1)
  await waitUntil('Kamailio has its numbers', () => isBlocked(port, last), { limitMs: FILL_MS, everyMs: 100 })
  const [main = 0] = kamailio.pids
  return { ...kamailio, pids: [main, ...descendants(main)] }
}

async function isBlocked(port: number, caller: string): Promise<boolean> {
  try {
    const url = `http://127.0.0.1:${port}/v1/verdict?caller=${encodeURIComponent(caller)}`
    const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) })
    return (await answer.text()).includes('block')
  } catch {
    return false
  }
}

/** It fills the table itself, by the arithmetic of generatedNumber: no way in from outside is as fast. Silent about clients that go. */
function configuration(port: number, listed: number): string {
  return `#!KAMAILIO
debug=-2
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
enable_sctp=0
tcp_accept_no_cl=yes
max_while_loops=0
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "xhttp.so"
loadmodule "htable.so"
modparam("htable", "htable", "deny=>size=${Math.ceil(Math.log2(listed))};autoexpire=0;")

request_route {
	if (is_method("ACK")) exit;
	if ($sht(deny=>$fU) != $null) {
		sl_send_reply("603", "Decline");
	} else {
		sl_send_reply("404", "Not Found");
	}
}

event_route[xhttp:request] {
	if ($sht(deny=>$(hu{url.querystring}{param.value,caller,&}{s.substr,3,0})) != $null) {
		xhttp_reply("200", "OK", "application/json", "{\\"decision\\":\\"block\\",\\"reason\\":\\"listed\\"}");
	} else {
		xhttp_reply("200", "OK", "application/json", "{\\"decision\\":\\"allow\\",\\"reason\\":\\"no-evidence\\"}");
	}
}

event_route[htable:mod-init] {
	$var(index) = 0;
	$var(number) = 123456789;
	while ($var(index) < ${listed}) {
		$var(ten) = $var(number) + 1000000000;
		$sht(deny=>79$(var(ten){s.substr,1,0})) = 1;
		$var(index) = $var(index) + 1;
		$var(number) = ($var(number) + 387420489) mod 1000000000;
	}
}
`
}
