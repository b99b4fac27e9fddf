import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ATTESTATIONS, CONFIRMATIONS, INGRESS_KINDS, TREATMENTS, VERSTATS } from '../../src/domain/call-event.ts'
import { DECISION_FLAG } from '../../src/domain/decision-record.ts'
import { REASON_CODES } from '../../src/domain/reason.ts'
import { VERDICTS } from '../../src/domain/verdict.ts'
import { listenOnNode } from '../../src/transports/data-plane/node.ts'
import type { VerdictServer } from '../../src/transports/data-plane/verdict-server.ts'
import { post, raw } from './verdict-server/raw-client.ts'
import { CALLEE, LISTED, SERVER_OPTIONS, screenedWorld } from './verdict-server/screened-world.ts'
import { openClient } from './verdict-server/socket-client.ts'

const document = readFileSync(new URL('../../docs/wire.md', import.meta.url), 'utf8')

/** Rows whose first cell looks so, as cells with the code marks taken off. */
function rows(firstCell: RegExp): string[][] {
  return document
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
    .filter(([first = '']) => firstCell.test(first))
}

function block(language: string, index = 0): string {
  return [...document.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))][index]?.[1] ?? ''
}

function bytes(index: number): Buffer {
  return Buffer.from(block('hex', index).replace(/\s/g, ''), 'hex')
}

describe('docs/wire.md', () => {
  let server: VerdictServer
  beforeAll(async () => {
    server = await listenOnNode(SERVER_OPTIONS, screenedWorld().handler)
  })
  afterAll(() => server.close())

  it('names every reason with its wire code', () => {
    const codes = rows(/^\d+$/).filter(([, name = '']) => /^[a-z-]+$/.test(name))
    expect(codes.map(([code, name]) => [Number(code), name])).toEqual(REASON_CODES.map((name, i) => [i + 1, name]))
  })

  it.each([
    ['verdict', VERDICTS],
    ['ingress kind', INGRESS_KINDS],
    ['attestation', ATTESTATIONS],
    ['verstat', VERSTATS],
    ['originating, roaming', CONFIRMATIONS],
    ['treatment', TREATMENTS],
  ])('names every %s in the order of its wire code', (field, names) => {
    // Of the tables, the last with such a row: that of the codes.
    const cells = rows(new RegExp(`^${field}$`)).at(-1) ?? []
    expect(cells.slice(1).filter((cell) => cell !== '')).toEqual([...names])
  })

  it('names every flag', () => {
    const flags = rows(/^28 u8$/)[0]?.[1] ?? ''
    expect([...flags.matchAll(/\d+ [a-z]/g)].map((match) => Number.parseInt(match[0], 10))).toEqual(
      Object.values(DECISION_FLAG),
    )
  })

  it('shows a verdict as it is', async () => {
    const body = { callId: 'a84b4c76e66710', caller: LISTED, callee: CALLEE }
    const { answers } = await raw(server.port, post('/v1/verdict', JSON.stringify(body)))
    const masked = (text: string) => JSON.parse(text.replace(/[0-9a-f]{32}/g, 'ID').replace(/default@\d+/, 'default@N'))
    expect(masked(block('json'))).toEqual(masked(answers[0]?.body ?? ''))
  })

  it('shows a problem as it is', async () => {
    const { answers } = await raw(server.port, post('/v1/verdict', '{'))
    const shown = /^`(\{"type":"docs\/errors.*\})`/m.exec(document)?.[1] ?? ''
    expect({ ...JSON.parse(answers[0]?.body ?? ''), detail: '…', hint: '…' }).toEqual(JSON.parse(shown))
  })

  it('shows a binary record and its answer as they are', async () => {
    const client = await openClient(`ws://127.0.0.1:${server.port}/v1/calls`, 'zaslon.bin.v1')
    expect(bytes(0)).toHaveLength(64)
    client.webSocket.send(bytes(0))
    const answer = Buffer.from(await client.nextBytes())
    expect(answer).toHaveLength(48)
    expect(answer.subarray(0, 8)).toEqual(bytes(1))
    client.webSocket.close()
  })
})
