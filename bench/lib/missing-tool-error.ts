/** A program that a bench needs is not installed; the message says which, and how to get it. What it would have measured is "not run". */
export class MissingToolError extends Error {}
