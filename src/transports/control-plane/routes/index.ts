import type { ControlPlaneDependencies, RouteContext } from '../dependencies.ts'
import { installAuditRoutes } from './audit.ts'
import { installClockRoutes } from './clock.ts'
import { installDecisionRoutes } from './decisions.ts'
import { installEntryRoutes } from './entries.ts'
import { installImportRoutes } from './imports.ts'
import { installListRoutes } from './lists.ts'
import { installNumberingRoutes } from './numbering.ts'
import { installNumberRoutes } from './numbers.ts'
import { installPolicyRoutes } from './policy.ts'
import { installRecordRoutes } from './record.ts'
import { installRehearsalRoute } from './rehearsal.ts'
import { installReportRoutes } from './reports.ts'
import { installReviewRoutes } from './reviews.ts'
import { installServiceRoutes } from './service.ts'

/** Every route of the control plane, one file a resource. */
export async function installRoutes(context: RouteContext, dependencies: ControlPlaneDependencies): Promise<void> {
  installReportRoutes(context)
  installListRoutes(context)
  installEntryRoutes(context)
  await installImportRoutes(context)
  installNumberRoutes(context)
  installReviewRoutes(context)
  installDecisionRoutes(context)
  installPolicyRoutes(context)
  await installRehearsalRoute(context)
  await installNumberingRoutes(context)
  installAuditRoutes(context)
  installRecordRoutes(context)
  installClockRoutes(context)
  installServiceRoutes(context, dependencies)
}
