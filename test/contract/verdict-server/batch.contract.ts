import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ACTIVITY_OF, createActivityView, readActivity } from '../../../src/shm/activity.ts'
import type { ListenVerdicts, VerdictServer } from '../../../src/transports/data-plane/verdict-server.ts'
import { NOW } from '../../fixtures/screening-world.ts'
import { post, type RawAnswer, raw } from './raw-client.ts'
import { CALLEE, CLEAN, LISTED, type ScreenedWorld, SERVER_OPTIONS, screenedWorld } from './screened-world.ts'

const MEBIBYTE = 1024 * 1024
const JSON_TYPE = 'Content-Type: application/json'
const NDJSON_TYPE = 'Content-Type: application/x-ndjson'

export function batchContract(listen: ListenVerdicts): void {
  describe('for batches', () => {
    let screened: ScreenedWorld
    let server: VerdictServer

    beforeAll(async () => {
      screened = screenedWorld()
      server = await listen(SERVER_OPTIONS, screened.handler)
    })
    afterAll(async () => {
      await server.close()
      expect(screened.faults).toEqual([])
    })

    async function send(path: string, body: string, ...headers: string[]): Promise<RawAnswer> {
      const { answers } = await raw(server.port, post(path, body, headers))
      expect(answers).toHaveLength(1)
      return answers[0]!
    }
    const event = (callId: string, caller: string) => ({ callId, caller, callee: CALLEE })
    const decided = (counter: 'verdicts.allow' | 'verdicts.block') => screened.world.counter(counter)

    it('answers an array in its order', async () => {
      const answer = await send('/v1/verdicts', JSON.stringify([event('a', LISTED), event('b', CLEAN)]), JSON_TYPE)
      expect(answer.headers.get('content-type')).toBe('application/json')
      expect(JSON.parse(answer.body)).toMatchObject([
        { callId: 'a', decision: 'block' },
        { callId: 'b', decision: 'allow' },
      ])
    })

    it('answers 1,000 events with long call ids, more than fit where answers are kept', async () => {
      const callIds = Array.from({ length: 1_000 }, (_, index) => `${index}`.padEnd(300, 'x'))
      const events = callIds.map((callId, index) => event(callId, index % 2 === 0 ? LISTED : CLEAN))
      const { body } = await send('/v1/verdicts', JSON.stringify(events), JSON_TYPE)
      expect(Buffer.byteLength(body)).toBeGreaterThan(512 * 1024)
      const answers = JSON.parse(body) as { callId: string; decision: string }[]
      expect(answers.map(({ callId }) => callId)).toEqual(callIds.map((callId) => callId.slice(0, 256)))
      expect(answers.map(({ decision }) => decision)).toEqual(
        callIds.map((_, index) => (index % 2 === 0 ? 'block' : 'allow')),
      )
    })

    it('answers an array alike, whether or not JSON.parse has to read it', async () => {
      const plain = JSON.stringify([event('a', LISTED), event('b', CLEAN), event('', 'sip:112'), {}])
      const escaped = plain.replace('"caller"', '"\\u0063aller"')
      const bodies = []
      for (const body of [plain, escaped]) bodies.push((await send('/v1/verdicts', body, JSON_TYPE)).body)
      const [answered, parsed] = bodies.map((body) => body.replace(/[0-9a-f]{32}/g, 'id'))
      expect(answered).toBe(parsed)
    })

    it('answers NDJSON with NDJSON, whatever ends a line, and takes blank lines for nothing', async () => {
      const lines = `\r\n${JSON.stringify(event('a', LISTED))}\r\n\r\n  \n${JSON.stringify(event('b', CLEAN))}`
      const answer = await send('/v1/verdicts', lines, NDJSON_TYPE)
      expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
      expect(answer.body.endsWith('}\n')).toBe(true)
      expect(
        answer.body
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
      ).toMatchObject([
        { callId: 'a', decision: 'block' },
        { callId: 'b', decision: 'allow' },
      ])
    })

    it('gives what is no event a problem in its place', async () => {
      const array = JSON.stringify([7, event('b', LISTED), null, [], 'x'])
      expect(JSON.parse((await send('/v1/verdicts', array)).body)).toMatchObject([
        { status: 400, code: 'BODY_INVALID' },
        { decision: 'block' },
        { code: 'BODY_INVALID' },
        { code: 'BODY_INVALID' },
        { code: 'BODY_INVALID' },
      ])
      const lines = `{"caller":\n${JSON.stringify(event('b', LISTED))}\n`
      const answers = (await send('/v1/verdicts', lines)).body.trimEnd().split('\n')
      expect(answers.map((line) => JSON.parse(line))).toMatchObject([{ code: 'BODY_INVALID' }, { decision: 'block' }])
    })

    it.each([
      ['an empty array', '[]', JSON_TYPE, '[]'],
      ['no lines', '', NDJSON_TYPE, ''],
      ['blank lines', '\n\r\n', NDJSON_TYPE, ''],
    ])('answers %s with nothing', async (_name, body, type, expected) => {
      const answer = await send('/v1/verdicts', body, type)
      expect([answer.status, answer.body]).toEqual([200, expected])
    })

    it.each([
      ['an object', '{"caller":"+79160000001"}'],
      ['half an array', '[{}'],
      ['nothing', ''],
    ])('refuses %s as application/json', async (_name, body) => {
      expect(JSON.parse((await send('/v1/verdicts', body, JSON_TYPE)).body)).toMatchObject({ code: 'JSON_MALFORMED' })
    })

    it.each(['array', 'lines'])('takes 1,000 events as %s, and of 1,001 none', async (form) => {
      const events = (count: number) => Array.from({ length: count }, () => JSON.stringify({ caller: LISTED }))
      const body = (count: number) => (form === 'array' ? `[${events(count).join()}]` : events(count).join('\n'))
      const before = decided('verdicts.block')
      expect((await send('/v1/verdicts', body(1_000))).status).toBe(200)
      expect(decided('verdicts.block')).toBe(before + 1_000)
      const refused = await send('/v1/verdicts', body(1_001))
      expect(JSON.parse(refused.body)).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' })
      expect(decided('verdicts.block')).toBe(before + 1_000)
    })

    it.each(['/v1/verdicts', '/v1/call-ends'])('reads 1 MiB at %s and not one byte more', async (path) => {
      expect((await send(path, '[{}]'.padEnd(MEBIBYTE))).status).toBe(200)
      expect(JSON.parse((await send(path, '[{}]'.padEnd(MEBIBYTE + 1))).body)).toMatchObject({ status: 413 })
    })

    it('notes call ends: one, an array or lines', async () => {
      const end = '{"callId":"a","caller":"+79160000009","answered":true,"ringMs":4000,"talkMs":null,"sipStatus":200}'
      const before = screened.world.counter('call-ends')
      for (const [body, count] of [
        [end, 1],
        [JSON.stringify(JSON.parse(end), null, 2), 1],
        [`[${end},${end}]`, 2],
        [`${end}\n${end}\n${end}`, 3],
      ] as const) {
        expect((await send('/v1/call-ends', body)).body).toBe(`{"accepted":${count}}`)
      }
      expect(screened.world.counter('call-ends')).toBe(before + 7)
    })

    it.each([
      ['caller', 'true', 'caller-type'],
      ['callee', '{}', 'callee-type'],
      ['callId', '[5]', 'call-id-type'],
      ['answered', '"yes"', 'answered-type'],
      ['ringMs', '"4000"', 'ring-ms-type'],
      ['talkMs', 'true', 'talk-ms-type'],
    ])('counts no end whose %s is %s, and says so', async (field, value, reason) => {
      const end = '{"callId":"a","caller":"+79160000009","callee":79161234567,"answered":true,"ringMs":4000,"talkMs":0}'
      const wrong = JSON.stringify({ ...JSON.parse(end), [field]: JSON.parse(value) })
      const before = screened.world.counter('call-ends')
      const refusedBefore = screened.seen.endsRefused
      const answer = async (body: string) => JSON.parse((await send('/v1/call-ends', body)).body)
      expect(await answer(wrong)).toEqual({ accepted: 0, refused: 1, reasons: { [reason]: 1 } })
      expect(await answer(`[${wrong},${end},${wrong}]`)).toEqual({ accepted: 1, refused: 2, reasons: { [reason]: 2 } })
      for (const missing of [{ [field]: null }, { [field]: undefined }]) {
        expect(await answer(JSON.stringify({ ...JSON.parse(end), ...missing }))).toEqual({ accepted: 1 })
      }
      expect(screened.world.counter('call-ends')).toBe(before + 3)
      expect(screened.seen.endsRefused).toBe(refusedBefore + 3)
    })

    it.each(['"5"', '5'])('counts an end that is told twice once, callId %s', async (callId) => {
      const caller = 79_160_001_000 + callId.length
      const call = `{"callId":ID,"caller":${caller},"callee":"${CALLEE}"}`
      for (const id of [callId, callId.replace('5', '6')]) await send('/v1/verdicts', `[${call.replace('ID', id)}]`)
      const end = `{"callId":${callId},"caller":${caller},"callee":"${CALLEE}","answered":true,"talkMs":9000}`
      for (let times = 0; times < 2; times++) await send('/v1/call-ends', end)
      const seen = createActivityView()
      readActivity(screened.world.behaviour.activity, caller, ACTIVITY_OF.caller, NOW, seen)
      expect([seen.attempts60, seen.ended60]).toEqual([2, 1])
    })

    it('refuses call ends as a whole', async () => {
      const before = screened.world.counter('call-ends')
      for (const body of ['', '7', 'null', '[{},7]', '{}\n{', '[{}', `[${Array(1_001).fill('{}').join()}]`]) {
        expect((await send('/v1/call-ends', body)).status).toBeOneOf([400, 413])
      }
      expect(screened.world.counter('call-ends')).toBe(before)
    })
  })
}
