/**
 * What one check of `zaslon doctor` found. `note`: neither well nor unwell; `warn`: works, but look at it;
 * `fail`: the service cannot run like this.
 */
export type Finding = {
  readonly name: string
  readonly status: 'ok' | 'note' | 'warn' | 'fail'
  readonly detail: string
  readonly hint?: string
}
