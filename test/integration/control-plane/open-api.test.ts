import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ERROR_STATUS } from '../../../src/domain/errors.ts'
import { PROBLEM_HINTS } from '../../../src/transports/control-plane/problem-hints.ts'
import { type ControlFixture, HOST, openControlPlane } from './fixture.ts'

type Operation = {
  summary?: string
  description?: string
  tags?: string[]
  responses: Record<string, { content?: Record<string, object>; description?: string }>
}
type Document = {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown> }
}

let control: ControlFixture
let document: Document
beforeAll(async () => {
  control = await openControlPlane()
  document = (await control.app.inject({ url: '/docs/json', headers: HOST })).json()
})
afterAll(() => control.close())

describe('the OpenAPI document', () => {
  it('is OpenAPI 3.1 and holds every route of the contract', () => {
    expect(document.openapi).toBe('3.1.0')
    expect(Object.keys(document.paths).sort()).toEqual([
      '/health/live',
      '/health/ready',
      '/metrics',
      '/v1/audit',
      '/v1/clock',
      '/v1/clock/accept',
      '/v1/decisions',
      '/v1/explain',
      '/v1/imports',
      '/v1/imports/{id}',
      '/v1/imports/{id}/activate',
      '/v1/imports/{id}/cancel',
      '/v1/imports/{id}/rejected.csv',
      '/v1/lists',
      '/v1/lists/{name}',
      '/v1/lists/{name}/entries',
      '/v1/lists/{name}/imports',
      '/v1/lists/{name}/restore',
      '/v1/lists/{name}/versions',
      '/v1/numbering',
      '/v1/numbering/{name}/imports',
      '/v1/numbers/{e164}',
      '/v1/policy',
      '/v1/policy/rehearse',
      '/v1/policy/versions',
      '/v1/record',
      '/v1/record/accept',
      '/v1/record/restore',
      '/v1/reports',
      '/v1/reviews',
      '/v1/reviews/{id}',
    ])
  })

  it('documents success and failure of every operation', () => {
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, { summary, tags, responses }] of Object.entries(operations)) {
        const where = `${method} ${path}`
        expect(summary, where).toBeTruthy()
        expect(tags, where).toHaveLength(1)
        const statuses = Object.keys(responses).map(Number)
        expect(
          statuses.some((status) => status < 300),
          where,
        ).toBe(true)
        const failures = Object.entries(responses).filter(([status]) => Number(status) >= 400)
        expect(failures.length, where).toBeGreaterThanOrEqual(3)
        for (const [, { content, description }] of failures) {
          expect(Object.keys(content ?? {}), where).toEqual(['application/problem+json'])
          expect(description, where).toMatch(/[A-Z_]+: /)
        }
      }
    }
  })

  it.each(['accept', 'restore'])('names the danger of %s', (word) => {
    const { description, responses } = document.paths[`/v1/record/${word}`]?.post ?? { responses: {} }
    expect(description).toContain('Danger: ')
    expect(responses[409]?.description).toContain('RECORD_EMBEDDED: ')
  })

  it('resolves every reference', () => {
    const references = JSON.stringify(document).match(/"\$ref":"[^"]+"/g) ?? []
    expect(references.length).toBeGreaterThan(0)
    for (const reference of new Set(references)) {
      const pointer = reference.slice('"$ref":"#/'.length, -1).split('/')
      let at: unknown = document
      for (const part of pointer) at = (at as Record<string, unknown>)[part]
      expect(at, reference).toBeDefined()
    }
    expect(document.components.schemas.Problem).toBeDefined()
  })

  it('is shown at /docs, where / leads', async () => {
    const root = await control.app.inject({ url: '/', headers: HOST })
    expect([root.statusCode, root.headers.location]).toEqual([302, '/docs'])
    const page = await control.app.inject({ url: '/docs', headers: HOST })
    expect(page.statusCode).toBe(200)
    expect(page.body).toContain('swagger-ui')
  })
})

describe('docs/errors.md', () => {
  it('explains every code and no other', () => {
    const file = 'docs/errors.md'
    expect(existsSync(file)).toBe(true)
    const headings = [
      ...readFileSync(file, 'utf8').matchAll(/^### ([A-Z_]+)\n\nStatus (\d{3})\. .+\n\nNext step: .+$/gm),
    ]
    expect(headings.map(([, code]) => code).sort()).toEqual(Object.keys(ERROR_STATUS).sort())
    for (const [, code, status] of headings)
      expect(Number(status)).toBe(ERROR_STATUS[code as keyof typeof ERROR_STATUS])
  })

  it('has a next step for every code', () => {
    for (const hint of Object.values(PROBLEM_HINTS)) expect(hint).toMatch(/[.]$/)
  })
})
