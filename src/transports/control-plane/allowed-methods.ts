import type { FastifyInstance } from 'fastify'

/** Remembers every route, so that a path that exists can be told from one that does not. */
export type AllowedMethods = {
  /** The methods of the routes that fit this path; empty when none does. */
  of(path: string): string[]
}

export function collectAllowedMethods(app: FastifyInstance): AllowedMethods {
  const routes: { pattern: RegExp; methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    routes.push({ pattern: patternOf(url), methods: Array.isArray(method) ? method : [method] })
  })
  return {
    of(path) {
      const methods = new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap((route) => route.methods))
      return [...methods].sort()
    },
  }
}

/** `/v1/lists/:name` as an expression; one with a wildcard fits nothing, it would claim every path. */
function patternOf(url: string): RegExp {
  if (url.includes('*')) return /^\b$/
  const escaped = url.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll(/:[A-Za-z0-9]+/g, '[^/]+')}/?$`)
}
