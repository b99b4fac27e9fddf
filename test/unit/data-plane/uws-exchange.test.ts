import { describe, expect, it } from 'vitest'
import { createBodyMemory } from '../../../src/transports/data-plane/body-collector.ts'
import { addHeader, createRequestHead } from '../../../src/transports/data-plane/request-head.ts'
import type { UwsRequest, UwsResponse } from '../../../src/transports/data-plane/uws-binding.ts'
import { createAnswerBuffer, UwsExchange } from '../../../src/transports/data-plane/uws-exchange.ts'
import { screenedWorld } from '../../contract/verdict-server/screened-world.ts'

const NO_REQUEST = {} as UwsRequest

/** A response of the library that takes no answer. */
class BrokenResponse {
  isClosed = false
  onWritableHandler: ((offset: number) => boolean) | undefined
  #aborted = () => {}
  tryEnd(): [boolean, boolean] {
    throw new Error('broken')
  }
  end(): never {
    throw new Error('broken')
  }
  onAborted(handler: () => void): this {
    this.#aborted = handler
    return this
  }
  onWritable(handler: (offset: number) => boolean): this {
    this.onWritableHandler = handler
    return this
  }
  cork(write: () => void): this {
    write()
    return this
  }
  writeStatus(): this {
    return this
  }
  writeHeader(): this {
    return this
  }
  close(): this {
    this.isClosed = true
    this.#aborted()
    return this
  }
}

function exchange(broken: BrokenResponse, ...headers: [string, string][]) {
  const { handler, faults } = screenedWorld()
  const context = {
    handler,
    receivedMs: Date.now,
    inFlight: 0,
    isDraining: false,
    answers: createAnswerBuffer(),
    bodies: createBodyMemory(),
  }
  const collect = () => {
    const head = createRequestHead('GET', '/health/live', '')
    for (const [name, value] of headers) addHeader(head, name, value)
    return head
  }
  new UwsExchange(broken as unknown as UwsResponse, context).begin(NO_REQUEST, collect)
  return { context, faults }
}

describe('an exchange on uWebSockets.js whose answer cannot be written', () => {
  it('reports it and cuts the connection', () => {
    const broken = new BrokenResponse()
    const { context, faults } = exchange(broken)
    expect(broken.isClosed).toBe(true)
    expect(faults).not.toEqual([])
    expect(context.inFlight).toBe(0)
  })

  it('does so when it was to close anyway', async () => {
    const broken = new BrokenResponse()
    const { context, faults } = exchange(broken, ['content-length', ''])
    await new Promise((resolve) => setImmediate(resolve))
    expect(broken.isClosed).toBe(true)
    expect(faults).not.toEqual([])
    expect(context.inFlight).toBe(0)
  })

  it('does so when a part of the answer is out', () => {
    const broken = new BrokenResponse()
    broken.tryEnd = () => [false, false]
    const { context, faults } = exchange(broken)
    expect([broken.isClosed, context.inFlight]).toEqual([false, 1])
    broken.tryEnd = () => {
      throw new Error('broken')
    }
    expect(broken.onWritableHandler?.(3)).toBe(true)
    expect([broken.isClosed, context.inFlight, faults.length]).toEqual([true, 0, 1])
  })
})
