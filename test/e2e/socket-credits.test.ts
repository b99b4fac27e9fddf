import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { binaryCall, openClient } from '../contract/verdict-server/socket-client.ts'
import { type RunningService, runService } from '../support/run-service.ts'
import { put, uploadList } from '../support/service-requests.ts'

const CREDITS = 4
const LISTED = '+79070100001'
const BLOCK = 2
const OVERLOADED = 20

let service: RunningService
const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-credits-'))

beforeAll(async () => {
  const config = path.join(directory, 'zaslon.yaml')
  writeFileSync(config, `verdict:\n  callsPerWebSocket: ${CREDITS}\n`)
  service = await runService({ environment: { ZASLON_CONFIG: config } })
  await put(service, '/v1/lists/moment', { kind: 'deny' })
  await uploadList(service, 'moment', `${LISTED}\n`, 'mode=replace')
})
afterAll(async () => {
  await service.stop()
  rmSync(directory, { recursive: true, force: true })
})

const open = (subprotocol: string) => openClient(`${service.verdictUrl.replace('http', 'ws')}/v1/calls`, subprotocol)

async function overloadedCount(): Promise<number> {
  const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
  return [...metrics.matchAll(/^zaslon_verdicts_overloaded_total(?:\{[^}]*\})? (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  )
}

it('answers every call of a frame, those beyond the credits as overloaded, and goes on', async () => {
  const before = await overloadedCount()
  const client = await open('zaslon.bin.v1')
  for (let round = 0; round < 3; round++) {
    const calls = Array.from({ length: CREDITS + 2 }, (_, correlation) =>
      binaryCall({ caller: Number(LISTED), correlation }),
    )
    client.webSocket.send(Buffer.concat(calls))
    const answer = Buffer.from(await client.nextBytes())
    const answers = calls.map((_, at) => answer.subarray(at * 48, (at + 1) * 48))
    expect(answers.map((record) => record.readUInt32LE(4))).toEqual([0, 1, 2, 3, 4, 5])
    expect(answers.map((record) => record[2])).toEqual([BLOCK, BLOCK, BLOCK, BLOCK, 0, 0])
    expect(answers.map((record) => record[40] === OVERLOADED)).toEqual([false, false, false, false, true, true])
    // It failed open, and says so.
    expect(answers.map((record) => (record[28] ?? 0) & 8)).toEqual([0, 0, 0, 0, 8, 8])
  }
  client.webSocket.close()
  expect((await overloadedCount()) - before).toBe(6)
})

it('looks at every call of a peer that has no more than its credits on the way', async () => {
  const client = await open('zaslon.json.v1')
  for (let round = 0; round < 3; round++) {
    for (let call = 0; call < CREDITS; call++) {
      client.webSocket.send(JSON.stringify({ type: 'call', callId: `${round}-${call}`, caller: LISTED }))
    }
    for (let call = 0; call < CREDITS; call++) {
      expect(JSON.parse(await client.nextText())).toMatchObject({ callId: `${round}-${call}`, decision: 'block' })
    }
  }
  client.webSocket.close()
})
