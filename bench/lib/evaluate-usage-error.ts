/** Something the user wrote cannot be used: an option, a file he named. The message says what and where; exit code 2. */
export class EvaluateUsageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'EvaluateUsageError'
  }
}
