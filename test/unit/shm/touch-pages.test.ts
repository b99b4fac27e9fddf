import { describe, expect, it } from 'vitest'
import { touchPages } from '../../../src/shm/layout.ts'

describe('touching the pages of a region', () => {
  it('changes nothing in it, whatever its length', () => {
    for (const bytes of [1, 4_095, 4_096, 4_097, 20_000]) {
      const memory = new SharedArrayBuffer(bytes)
      const content = new Uint8Array(memory).fill(7)
      touchPages(memory)
      expect(content.every((byte) => byte === 7)).toBe(true)
    }
  })

  it('takes its memory from the kernel', () => {
    const bytes = 64 * 2 ** 20
    const memory = new SharedArrayBuffer(bytes)
    const before = process.memoryUsage.rss()
    touchPages(memory)
    expect(process.memoryUsage.rss() - before).toBeGreaterThan(bytes * 0.9)
  })
})
