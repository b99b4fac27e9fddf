import type { ReporterReads } from '../reporter-reads.ts'
import type { Environment } from './environment.ts'
import { type ListReads, listReads } from './lists.ts'
import { type LogReads, logReads } from './logs.ts'
import { type PolicyReads, policyReads } from './policies.ts'
import { reporterReads } from './reporters.ts'
import { type ReportReads, reportReads } from './reports.ts'
import { type ReviewReads, reviewReads } from './reviews.ts'

export type RecordReads = ReportReads & ReporterReads & ListReads & PolicyReads & ReviewReads & LogReads

export function recordReads(environment: Environment): RecordReads {
  return {
    ...reportReads(environment),
    ...reporterReads(environment),
    ...listReads(environment),
    ...policyReads(environment),
    ...reviewReads(environment),
    ...logReads(environment),
  }
}
